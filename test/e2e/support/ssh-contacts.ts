/** Counts what sshd accepts on lab hosts, to show which hosts a command contacts. */

import type { LabHost } from '../../lab/host.ts';

export interface Contacts {
  /** Connections to port 22, also those that did not log in. */
  readonly connections: number;
  /** Scripts and transfers within them. */
  readonly sessions: number;
}

const NONE: Contacts = { connections: 0, sessions: 0 };

/** @param hosts that are up and do not restart meanwhile @returns by host's name, what sshd accepted while the body ran */
export async function contactsDuring(
  hosts: readonly LabHost[],
  body: () => Promise<void>,
): Promise<Record<string, Contacts>> {
  const before = await Promise.all(hosts.map(contacts));
  await body();
  const after = await Promise.all(hosts.map(contacts));
  return Object.fromEntries(
    hosts.map(({ name }, i) => {
      const [first, last] = [before[i] ?? NONE, after[i] ?? NONE];
      const connections = last.connections - first.connections;
      return [name, { connections, sessions: last.sessions - first.sessions }];
    }),
  );
}

/** Reads the journal; the lab's sshd logs each session. */
async function contacts(host: LabHost): Promise<Contacts> {
  const text = await host.run(
    `journalctl -q -o cat -t sshd -t sshd-session |
      awk '/^Connection from /{c++} /^Starting session: /{s++} END{print c + 0, s + 0}'`,
  );
  const [connections = 0, sessions = 0] = text.trim().split(' ').map(Number);
  return { connections, sessions };
}
