/** Targets of health checks that a test can make healthy or unhealthy. */

import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { HealthCheck } from '../../../src/mesos/types.ts';

export interface Probe {
  /** A check with short intervals and without a grace period. */
  check: HealthCheck;
  /** A directory of this machine that the check's command sees at the same path. */
  directory: string;
  set(healthy: boolean): Promise<void>;
  /** Number of requests of an HTTP check. */
  asked: () => number;
  close(): Promise<void>;
}

export type Kind = 'COMMAND' | 'HTTP' | 'TCP';

const QUICK = { delay_seconds: 0, interval_seconds: 0.1, grace_period_seconds: 0 };

/** Opens an unhealthy probe. */
export async function openProbe(kind: Kind): Promise<Probe> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-probe-'));
  const probe = { directory, asked: () => 0, close: () => rm(directory, { recursive: true, force: true }) };
  if (kind === 'COMMAND') {
    const file = path.join(directory, 'healthy');
    return {
      ...probe,
      check: { type: kind, command: { value: `test -e ${file}` }, ...QUICK },
      set: (healthy) => (healthy ? writeFile(file, '') : rm(file, { force: true })),
    };
  }
  return kind === 'HTTP' ? await openHttp(probe) : await openTcp(probe);
}

type Base = Pick<Probe, 'asked' | 'directory' | 'close'>;

async function openHttp(base: Base): Promise<Probe> {
  let status = 500;
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.writeHead(status).end();
  });
  const port = await listen(server, 0);
  return {
    ...base,
    check: { type: 'HTTP', http: { port, path: '/health' }, ...QUICK },
    asked: () => asked,
    set: async (healthy) => {
      status = healthy ? 200 : 500;
    },
    close: async () => {
      await close(server);
      await base.close();
    },
  };
}

async function openTcp(base: Base): Promise<Probe> {
  const server = createTcpServer((socket) => socket.on('error', () => {}).resume());
  const port = await listen(server, 0);
  await close(server);
  const set = async (healthy: boolean) => {
    if (healthy && !server.listening) await listen(server, port);
    if (!healthy) await close(server);
  };
  return {
    ...base,
    check: { type: 'TCP', tcp: { port }, ...QUICK },
    set,
    close: async () => {
      await set(false);
      await base.close();
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}
