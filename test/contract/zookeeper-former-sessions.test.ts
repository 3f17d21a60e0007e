/** A scheduler ends the session of a process that was killed on its host, and no other. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { FormerSessions } from '../../src/scheduler/former-sessions.ts';
import { parseZooKeeperAddress } from '../../src/zookeeper/address.ts';
import type { ZooKeeperSession } from '../../src/zookeeper/client.ts';
import { endSession } from '../../src/zookeeper/end-session.ts';
import { openZooKeeper } from '../../src/zookeeper/session.ts';
import { type Ensemble, startZooKeeper } from './support/zookeeper.ts';
import { startProxy } from './support/zookeeper-proxy.ts';
import { type SchedulerProcess, startScheduler } from './support/zookeeper-schedulers.ts';

/** No session ends by its timeout, which is at least two ticks, before a test has ended. */
const TICK_MS = 60_000;
const WITHIN = { timeout: 40_000, interval: 50 };
const MEMBERS = '/mesosup/leader';

let zookeeper: Ensemble;
let observer: ZooKeeperSession;
let directory: string;
const processes: SchedulerProcess[] = [];

beforeAll(async () => {
  zookeeper = await startZooKeeper(1, TICK_MS);
  observer = await openZooKeeper({ servers: zookeeper.servers, credentials: 'mesosup:pw' });
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'former-sessions-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

afterAll(async () => {
  await Promise.all(processes.map((one) => one.kill()));
  await observer?.close();
  await zookeeper?.stop();
});

function address(path = '/mesosup') {
  return parseZooKeeperAddress(`zk://mesosup:pw@${zookeeper.hosts}${path}`);
}

function formerSessions(zooKeeper = address()): FormerSessions {
  return new FormerSessions(directory, zooKeeper, { info: () => {}, warn: () => {} });
}

/** Starts a scheduler, without a master, and waits until it is a candidate. */
async function start(data = directory): Promise<SchedulerProcess> {
  writeFileSync(join(directory, 'zk'), `zk://mesosup:pw@${zookeeper.hosts}/mesosup`, { mode: 0o600 });
  const before = await members();
  const flags = ['--master', '127.0.0.1:1', '--zk', `file://${directory}/zk`, '--data_dir', data];
  const scheduler = startScheduler(...flags);
  processes.push(scheduler);
  await vi.waitFor(async () => {
    expect((await members()).filter((name) => !before.includes(name))).toHaveLength(1);
    expect(kept(scheduler)).toHaveLength(1);
  }, WITHIN);
  return scheduler;
}

async function members(): Promise<string[]> {
  return ((await observer.children(MEMBERS)) ?? []).sort();
}

function kept({ child }: SchedulerProcess): string[] {
  return readdirSync(directory).filter((name) => name === `zookeeper-session.${child.pid}`);
}

it('lets a follower lead as soon as the killed leader starts again, long before its session times out', async () => {
  const leader = await start();
  const other = mkdtempSync(join(directory, 'other-'));
  const follower = startScheduler(
    ...['--master', '127.0.0.1:1', '--zk', `file://${directory}/zk`, '--data_dir', other],
  );
  processes.push(follower);
  await vi.waitFor(async () => expect(await members()).toHaveLength(2), WITHIN);
  await leader.kill();
  expect(await members()).toHaveLength(2);
  await start();
  await vi.waitFor(() => expect(follower.said.join('\n')).toContain('elected: this scheduler leads'), WITHIN);
  expect(kept(leader)).toEqual([]);
  await Promise.all(processes.splice(0).map((one) => one.kill()));
  await new FormerSessions(other, address(), { info: () => {}, warn: () => {} }).end();
  await formerSessions().end();
  expect(await members()).toEqual([]);
});

it('leaves the session of a process that does not answer, but may be alive', async () => {
  const scheduler = await start();
  scheduler.child.kill('SIGSTOP');
  await formerSessions().end();
  expect(await members()).toHaveLength(1);
  expect(kept(scheduler)).toHaveLength(1);
  await scheduler.kill();
  await formerSessions().end();
  expect(await members()).toEqual([]);
  expect(kept(scheduler)).toEqual([]);
});

it.each([
  ['of another boot, which may be another machine', { boot: '00000000-0000-0000-0000-000000000000' }],
  ['whose process id belongs to another namespace', { namespace: 'pid:[1]' }],
  ['with another ZooKeeper', { zooKeeper: 'zk://other:2181/mesosup' }],
])('does not end a session %s', async (_what, change) => {
  const scheduler = await start();
  await scheduler.kill();
  const file = join(directory, kept(scheduler)[0] ?? '');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(text), ...change }));
  await formerSessions().end();
  expect(await members()).toHaveLength(1);
  writeFileSync(file, text);
  await formerSessions().end();
  expect(await members()).toEqual([]);
});

it('keeps nothing after an orderly stop, and the file is private', async () => {
  const scheduler = await start();
  const [name = ''] = kept(scheduler);
  expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
  scheduler.child.kill('SIGTERM');
  await scheduler.ended;
  expect(kept(scheduler)).toEqual([]);
  expect(await members()).toEqual([]);
});

it('starts beside a file that it can not read, and without the directory', async () => {
  writeFileSync(join(directory, 'zookeeper-session.1'), '{"id":');
  await formerSessions().end();
  expect(readdirSync(directory)).toEqual([]);
  rmSync(directory, { recursive: true });
  await formerSessions().end();
  await formerSessions().keep(observer.key);
});

it('tells whether the session had ended before, and whether a server was reached', async () => {
  const [server] = zookeeper.servers;
  const proxy = await startProxy(server);
  const session = await openZooKeeper({ servers: [proxy.at] });
  await session.create('/owned', Buffer.alloc(0), 'open', 'ephemeral');
  // As dead as possible in this process: it can't resume the session.
  proxy.cut();
  const { id } = session.key;
  expect(await endSession([server], { id, password: '0'.repeat(32) }, 5000)).toBe(false);
  expect(await observer.exists('/owned')).toBeDefined();
  expect(await endSession([{ host: '127.0.0.1', port: 1 }, server], session.key, 5000)).toBe(true);
  expect(await observer.exists('/owned')).toBeUndefined();
  expect(await endSession(zookeeper.servers, session.key, 5000)).toBe(false);
  expect(await endSession([{ host: '127.0.0.1', port: 1 }], session.key, 5000)).toBeUndefined();
  await session.close();
  await proxy.close();
});
