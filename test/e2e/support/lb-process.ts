/** The load balancer as a process, with free ports, for tests. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Haproxy } from '../../../src/lb/edge/haproxy.ts';
import { freePorts } from '../../support/free-ports.ts';

const root = path.resolve(import.meta.dirname, '../../..');

export interface LbProcess {
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly statsPort: number;
  readonly metricsPort: number;
  readonly directory: string;
  readonly log: readonly string[];
  readonly haproxy: Haproxy;
  /** The value of one of its own metrics; NaN if it does not answer. */
  metric(name: string): Promise<number>;
  /** Ends the program; haproxy keeps running. */
  end(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again, with other URLs of the scheduler if they have changed. */
  begin(url?: string): void;
  stop(): Promise<void>;
}

export async function startLb(
  url: string,
  directory: string,
  flags: Readonly<Record<string, string>> = {},
): Promise<LbProcess> {
  await mkdir(directory, { recursive: true });
  const [httpPort = 0, httpsPort = 0, statsPort = 0, metricsPort = 0] = await freePorts(4);
  const log: string[] = [];
  let child: ChildProcess;
  let current = url;
  const begin = (next = current) => {
    current = next;
    const all = {
      url: current,
      address: '127.0.0.1',
      'http-port': String(httpPort),
      'https-port': String(httpsPort),
      stats: `127.0.0.1:${statsPort}`,
      metrics: `127.0.0.1:${metricsPort}`,
      'data-dir': directory,
      ...flags,
    };
    child = spawn(
      process.execPath,
      [
        path.join(root, 'src/lb/main.ts'),
        ...Object.entries(all).map(([name, value]) => (value === '' ? `--${name}` : `--${name}=${value}`)),
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  };
  const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  const haproxy = new Haproxy('/usr/sbin/haproxy', directory);
  begin();
  return {
    httpPort,
    httpsPort,
    statsPort,
    metricsPort,
    directory,
    log,
    haproxy,
    metric: async (name) => {
      const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`).catch(() => undefined);
      const text = (await answer?.text()) ?? '';
      const line = text.split('\n').find((one) => one.startsWith(`${name} `));
      return Number(line?.slice(name.length + 1));
    },
    end,
    begin,
    stop: async () => {
      await end();
      await haproxy.stop();
    },
  };
}
