/** Searches hosts for secrets where none may be. */

import { expect } from 'vitest';
import type { LabHost } from '../../lab/host.ts';

/** Places of the host's own files. The data of Docker holds the containers of tasks. */
const PLACES = '/etc /var/lib /var/log /opt/mesosup /run /tmp /root /home';

/** The program that each host runs, by which a list of processes is known to be complete. */
const SCHEDULER = 'mesosup/current/lib/scheduler.js';

/**
 * Expects that no secret is in the arguments of a process, in the journal, in a log, or in a file that others than its
 * owner may read.
 */
export async function expectNoSecrets(
  hosts: readonly LabHost[],
  secrets: readonly string[],
  program = SCHEDULER,
): Promise<void> {
  const input = `${secrets.join('\n')}\n`;
  for (const host of hosts) {
    const commands = await host.run("cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
    expect(commands).toContain(program);
    for (const secret of secrets) expect(commands.includes(secret)).toBe(false);
    const logged = 'journalctl --no-pager -o export -a; find /var/log -type f -exec cat {} +';
    expect(await host.run(`{ ${logged}; } | grep -caF -f /dev/fd/3 3<<'EOF' || :\n${input}EOF`)).toBe('0');
    const files = await host.run(
      `grep -rlaF -f - --exclude-dir=docker ${PLACES} 2>/dev/null | while read -r f; do stat -c '%a %n' "$f"; done`,
      { input },
    );
    expect(files).toContain('/etc/');
    expect(files.split('\n').filter((line) => line !== '' && !/^[67]00 /.test(line))).toEqual([]);
  }
}
