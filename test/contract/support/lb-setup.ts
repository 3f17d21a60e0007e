/** The load balancer with the real haproxy, a scheduler that the test controls, and tasks that answer, for a test file. */

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach } from 'vitest';
import type { BalancedApp } from '../../../src/lb/snapshot.ts';
import { type LbProcess, startLb } from '../../e2e/support/lb-process.ts';
import { snapshotOf } from '../../lb/snapshots.ts';
import { askHost } from '../../support/ask-host.ts';
import { type FakeScheduler, startFakeScheduler } from './fake-scheduler.ts';

interface Closable {
  close(): unknown;
  closeAllConnections?(): void;
}

export interface LbSetup {
  readonly directory: string;
  readonly scheduler: FakeScheduler;
  /** The load balancer that was started. */
  readonly lb: LbProcess;
  /** Ended after the test. */
  readonly servers: Closable[];
  /** @param at the directory of the load balancer, if not that of the test */
  start(flags?: Readonly<Record<string, string>>, at?: string): Promise<LbProcess>;
  /** A task that answers with its name, the path and the headers of a request. @returns its port */
  task(name: string, address?: string): Promise<number>;
  /** Changes what the scheduler answers. */
  tell(...apps: readonly BalancedApp[]): void;
  /** @returns the name of the task that answers at the service port */
  nameAt(port: number): Promise<string>;
  /** Waits until the task answers at the service port. */
  serves(port: number, name: string): Promise<void>;
  until(what: string, holds: () => Promise<boolean>): Promise<void>;
}

/** Every test of the file gets a setup of its own. */
export function useLb(): LbSetup {
  let directory = '';
  let scheduler: FakeScheduler | undefined;
  let lb: LbProcess | undefined;
  const servers: Closable[] = [];
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'mesosup-lb-'));
    scheduler = await startFakeScheduler();
  });
  afterEach(async () => {
    await lb?.stop();
    lb = undefined;
    scheduler?.stop();
    for (const server of servers.splice(0)) {
      server.closeAllConnections?.();
      server.close();
    }
    await rm(directory, { recursive: true, force: true });
  });
  const there = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('not started');
    return value;
  };
  const setup: LbSetup = {
    servers,
    get directory() {
      return directory;
    },
    get scheduler() {
      return there(scheduler);
    },
    get lb() {
      return there(lb);
    },
    start: async (flags = {}, at = directory) => {
      lb = await startLb(setup.scheduler.url, at, flags);
      return lb;
    },
    task: async (name, address = '127.0.0.1') => {
      const server = createServer((request, response) => {
        if (request.url === '/moved') response.setHeader('Location', 'http://inner.example/there');
        response.end(JSON.stringify({ name, path: request.url, headers: request.headers }));
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, address, resolve));
      return (server.address() as AddressInfo).port;
    },
    tell: (...apps) => {
      setup.scheduler.answer = snapshotOf(apps);
      setup.scheduler.notify();
    },
    nameAt: async (port) => {
      const { status, text } = await askHost(port, 'any.example');
      return status === 200 ? JSON.parse(text).name : String(status);
    },
    serves: (port, name) =>
      setup.until(`${name} answers at port ${port}`, async () => (await setup.nameAt(port)) === name),
    until: async (what, holds) => {
      for (const end = Date.now() + 40_000; ; ) {
        if (await holds().catch(() => false)) return;
        if (Date.now() > end) throw new Error(`not within 40 s: ${what}\n${lb?.log.join('\n')}`);
        await sleep(50);
      }
    },
  };
  return setup;
}
