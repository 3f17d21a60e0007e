/** marathon-lb from a checkout of its public repository, with the haproxy of the distribution, at an address of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface MarathonLb {
  readonly httpPort: number;
  reloads(): Promise<number>;
  stop(): Promise<void>;
}

/** @param checkout the directory of `marathon_lb.py` @param address at which service ports and virtual hosts listen */
export async function startMarathonLb(
  checkout: string,
  url: string,
  address: string,
  [httpPort, httpsPort, appPort]: readonly [number, number, number],
  directory: string,
): Promise<MarathonLb> {
  const templates = path.join(directory, 'templates');
  await mkdir(templates, { recursive: true });
  const file = (name: string) => path.join(directory, name);
  const head = `global
  maxconn 2000
  stats socket ${file('haproxy.sock')} mode 600 expose-fd listeners
defaults
  retries 3
  option redispatch
  timeout connect 3s
  timeout client 30s
  timeout server 30s
`;
  const texts = {
    HEAD: head,
    HTTP_FRONTEND_HEAD: `\nfrontend marathon_http_in\n  bind ${address}:${httpPort}\n  mode http\n`,
    HTTP_FRONTEND_APPID_HEAD: `\nfrontend marathon_http_appid_in\n  bind ${address}:${appPort}\n  mode http\n`,
    HTTPS_FRONTEND_HEAD: `\nfrontend marathon_https_in\n  bind ${address}:${httpsPort}\n  mode http\n`,
    FRONTEND_HEAD: `\nfrontend {backend}\n  bind ${address}:{servicePort}{sslCert}{bindOptions}\n  mode {mode}\n`,
  };
  for (const [name, text] of Object.entries(texts)) {
    await writeFile(path.join(templates, `HAPROXY_${name}`), text);
  }
  // Without a frontend haproxy does not start.
  await writeFile(file('haproxy.cfg'), head + texts.HTTP_FRONTEND_HEAD);
  // The program waits until there is a haproxy with another process id, which a reload has started.
  await writeFile(
    file('reload.sh'),
    `#!/bin/sh\necho reload >>${file('reloads')}\nkill -USR2 "$(cat ${file('pid')})"\n`,
    {
      mode: 0o755,
    },
  );
  const log = openSync(file('log'), 'a');
  const start = (program: string, args: readonly string[]) =>
    spawn(program, args, { cwd: directory, stdio: ['ignore', log, log] });
  const haproxy = start('/usr/sbin/haproxy', ['-W', '-f', file('haproxy.cfg')]);
  await writeFile(file('pid'), String(haproxy.pid));
  const program = start('/usr/bin/python3', [
    path.join(checkout, 'marathon_lb.py'),
    ...['--syslog-socket', '/dev/null', '--marathon', url, '--group', '*', '--sse', '--health-check'],
    ...['--haproxy-config', file('haproxy.cfg'), '--command', file('reload.sh'), '--max-reload-retries', '0'],
  ]);
  return {
    httpPort,
    reloads: async () => (await readFile(file('reloads'), 'utf8').catch(() => '')).trim().split('\n').length,
    stop: async () => {
      for (const child of [program, haproxy]) await end(child);
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await Promise.race([once(child, 'exit'), sleep(5000).then(() => child.kill('SIGKILL'))]);
}
