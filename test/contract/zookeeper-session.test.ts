/** The session with a real server: requests, watches, access rights, and network failures. */

import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { SessionState, ZooKeeperSession } from '../../src/zookeeper/client.ts';
import { connect } from '../../src/zookeeper/connection.ts';
import { openZooKeeper } from '../../src/zookeeper/session.ts';
import { type Ensemble, startZooKeeper } from './support/zookeeper.ts';
import { startProxy, type TcpProxy } from './support/zookeeper-proxy.ts';

const SESSION_MS = 2000;
const WITHIN = { timeout: 20_000, interval: 20 };

let zookeeper: Ensemble;
let proxy: TcpProxy;
let count = 0;
const sessions: ZooKeeperSession[] = [];

beforeAll(async () => {
  zookeeper = await startZooKeeper(1);
  proxy = await startProxy(zookeeper.processes[0].at);
});

afterEach(async () => {
  proxy.heal();
  zookeeper.processes[0].thaw();
  await Promise.all(sessions.splice(0).map((session) => session.close()));
});

afterAll(async () => {
  await proxy?.close();
  await zookeeper?.stop();
});

async function open(
  credentials?: string,
  server = proxy.at,
  timeoutMs = SESSION_MS,
): Promise<ZooKeeperSession> {
  const session = await openZooKeeper({
    servers: [server],
    timeoutMs,
    ...(credentials !== undefined && { credentials }),
  });
  sessions.push(session);
  return session;
}

/** Connects without the proxy. */
function openDirect(credentials?: string): Promise<ZooKeeperSession> {
  return open(credentials, zookeeper.processes[0].at);
}

function freshPath(): string {
  count += 1;
  return `/t${count}`;
}

/** A watch, and a promise of its call. */
function awaited(): { watch: () => void; called: Promise<void>; count: () => number } {
  let calls = 0;
  let resolve = (): void => {};
  const called = new Promise<void>((done) => {
    resolve = done;
  });
  return {
    watch: () => {
      calls += 1;
      resolve();
    },
    called,
    count: () => calls,
  };
}

function statesOf(session: ZooKeeperSession): SessionState[] {
  const states: SessionState[] = [];
  session.onState((state) => states.push(state));
  return states;
}

const bytes = (text: string): Buffer => Buffer.from(text);

it('reads and writes znodes', async () => {
  const session = await open();
  const path = freshPath();
  expect(session.state).toBe('connected');
  expect(session.timeoutMs).toBe(SESSION_MS);
  expect(session.id).toMatch(/^[0-9a-f]{16}$/);
  expect(await session.get(path)).toBeUndefined();
  expect(await session.children(path)).toBeUndefined();
  expect(await session.exists(path)).toBeUndefined();

  expect(await session.create(path, bytes('one'), 'open')).toBe(path);
  expect(await session.get(path)).toEqual({ data: bytes('one'), version: 0 });
  expect(await session.set(path, bytes('two'), 0)).toEqual({ version: 1 });
  await expect(session.set(path, bytes('three'), 0)).rejects.toMatchObject({ code: 'BAD_VERSION' });
  await expect(session.create(path, bytes(''), 'open')).rejects.toMatchObject({ code: 'NODE_EXISTS' });
  await expect(session.set(`${path}/x`, bytes(''))).rejects.toMatchObject({ code: 'NO_NODE' });
  await session.createPath(`${path}/a/b`, 'open');
  await session.createPath(`${path}/a/b`, 'open');
  expect(await session.children(path)).toEqual(['a']);
  expect((await session.get(`${path}/a/b`))?.data).toEqual(bytes(''));
  await expect(session.delete(path)).rejects.toMatchObject({ code: 'NOT_EMPTY' });
  await expect(session.delete(`${path}/a/b`, 7)).rejects.toMatchObject({ code: 'BAD_VERSION' });
  await session.delete(`${path}/a/b`, 0);

  const first = await session.create(`${path}/m_`, bytes(''), 'open', 'ephemeral-sequential');
  const second = await session.create(`${path}/m_`, bytes(''), 'open', 'ephemeral-sequential');
  expect([first, second].map((name) => name.slice(0, -10))).toEqual([`${path}/m_`, `${path}/m_`]);
  expect(first < second).toBe(true);
  expect(await session.exists(first)).toEqual({ version: 0, owner: session.id });
  await session.close();
  const other = await open();
  expect(await other.children(path)).toEqual(['a']);
});

it('performs all operations of a multi or none, and version 0 is a version', async () => {
  const session = await open();
  const path = freshPath();
  await session.create(path, bytes('0'), 'open');
  await session.multi([
    { type: 'check', path, version: 0 },
    { type: 'set', path, data: bytes('1'), version: 0 },
    { type: 'create', path: `${path}/a`, data: bytes('a'), access: 'open' },
  ]);
  expect(await session.get(path)).toEqual({ data: bytes('1'), version: 1 });
  for (const refused of [
    { type: 'check', path, version: 0 },
    { type: 'set', path, data: bytes('9'), version: 0 },
    { type: 'delete', path: `${path}/a`, version: 1 },
  ] as const) {
    await expect(
      session.multi([{ type: 'create', path: `${path}/b`, data: bytes(''), access: 'open' }, refused]),
    ).rejects.toMatchObject({ code: 'BAD_VERSION' });
  }
  expect(await session.children(path)).toEqual(['a']);
  const created = await session.multi([
    { type: 'create', path: `${path}/s`, data: bytes(''), access: 'open', mode: 'persistent-sequential' },
    { type: 'delete', path: `${path}/a`, version: 0 },
  ]);
  expect(created).toEqual([expect.stringMatching(/\/s\d{10}$/)]);
});

it('refuses requests above the server’s limit, and accepts requests just below it', async () => {
  const session = await open();
  const path = freshPath();
  const states = statesOf(session);
  await session.create(path, Buffer.alloc(999_000, 'x'), 'open');
  await expect(session.set(path, Buffer.alloc(1_000_000))).rejects.toThrow(/1000\d{3} bytes in one request/);
  expect((await session.get(path))?.data).toHaveLength(999_000);
  expect(states).toEqual([]);
});

it('answers thousands of concurrent requests', async () => {
  // Long enough for a busy machine to answer the heartbeat before them.
  const session = await open(undefined, proxy.at, 30_000);
  const answers = await Promise.all(Array.from({ length: 5000 }, () => session.exists('/')));
  expect(answers.every((stat) => stat?.version === 0)).toBe(true);
});

it('fires a watch once per change, for each kind of read', async () => {
  const session = await open();
  const other = await openDirect();
  const path = freshPath();
  const coming = awaited();
  expect(await session.exists(path, coming.watch)).toBeUndefined();
  await other.create(path, bytes('1'), 'open');
  await coming.called;

  const data = awaited();
  const children = awaited();
  await session.get(path, data.watch);
  await session.children(path, children.watch);
  await other.create(`${path}/a`, bytes(''), 'open');
  await children.called;
  expect(data.count()).toBe(0);
  await other.set(path, bytes('2'));
  await data.called;
  await other.set(path, bytes('3'));
  expect((await session.get(path))?.data).toEqual(bytes('3'));
  expect([coming.count(), data.count(), children.count()]).toEqual([1, 1, 1]);

  const none = awaited();
  expect(await session.get(`${path}/none`, none.watch)).toBeUndefined();
  const going = awaited();
  await session.children(`${path}/a`, going.watch);
  await other.delete(`${path}/a`);
  await going.called;
  await other.create(`${path}/none`, bytes(''), 'open');
  expect(await session.exists(`${path}/none`)).toBeDefined();
  expect(none.count()).toBe(0);
});

it('denies other identities access to its znodes', async () => {
  const mine = await open('me:p:w/@d');
  const path = freshPath();
  await mine.create(path, bytes('secret'), 'creator');
  await mine.create(`${path}/public`, bytes('read me'), 'creator-world-read');
  await mine.create(`${path}/open`, bytes(''), 'open');
  for (const other of [await open(), await open('me:wrong'), await open('other:p:w/@d')]) {
    await expect(other.get(path)).rejects.toMatchObject({ code: 'NO_AUTH' });
    await expect(other.children(path)).rejects.toMatchObject({ code: 'NO_AUTH' });
    await expect(other.set(path, bytes(''))).rejects.toMatchObject({ code: 'NO_AUTH' });
    await expect(other.delete(`${path}/public`)).rejects.toMatchObject({ code: 'NO_AUTH' });
    await expect(
      other.multi([{ type: 'create', path: `${path}/x`, data: bytes(''), access: 'open' }]),
    ).rejects.toMatchObject({ code: 'NO_AUTH' });
    expect((await other.get(`${path}/public`))?.data).toEqual(bytes('read me'));
    await expect(other.set(`${path}/public`, bytes(''))).rejects.toMatchObject({ code: 'NO_AUTH' });
    await other.set(`${path}/open`, bytes('by another'));
  }
  expect((await (await open('me:p:w/@d')).get(path))?.data).toEqual(bytes('secret'));
});

it('continues after a lost connection: same identity, ephemeral znodes, waiting requests, and fired watches', async () => {
  const session = await open('me:pw');
  const path = freshPath();
  await session.create(path, bytes('1'), 'creator');
  await session.create(`${path}/e`, bytes(''), 'creator', 'ephemeral');
  const watched = awaited();
  await session.get(path, watched.watch);
  const states = statesOf(session);
  proxy.cut();
  await vi.waitFor(() => expect(session.state).toBe('suspended'), WITHIN);
  const reads = [session.get(path), session.children(path)];
  const written = session.create(`${path}/later`, bytes(''), 'creator');
  proxy.heal();
  expect(await Promise.all(reads)).toMatchObject([{ version: 0 }, ['e']]);
  expect(await written).toBe(`${path}/later`);
  await watched.called;
  expect(states).toEqual(['suspended', 'connected']);
  expect(await session.exists(`${path}/e`)).toMatchObject({ owner: session.id });
});

it('rejects pending requests of a lost connection, even within an answer, and continues correctly', async () => {
  const session = await open();
  const path = freshPath();
  await session.create(path, Buffer.alloc(500_000, 'x'), 'open');
  for (const cutAt of [1, 3, 4, 30, 100_000]) {
    proxy.breakAfter(cutAt);
    await expect(session.get(path)).rejects.toMatchObject({ code: 'CONNECTION_LOSS' });
    expect((await session.get(path))?.data).toHaveLength(500_000);
  }
  expect(session.state).toBe('connected');
});

it.each(['both', 'to-server', 'to-client'] as const)(
  'counts as ended before the ensemble ends it when nothing passes: %s',
  async (direction) => {
    const observer = await openDirect();
    const session = await open();
    const path = freshPath();
    await session.create(path, bytes(''), 'open', 'ephemeral');
    const gone = awaited();
    await observer.exists(path, gone.watch);
    const order: string[] = [];
    const both = [
      session.ended.then(() => order.push('ours')),
      gone.called.then(() => order.push('ensemble')),
    ];
    const states = statesOf(session);
    proxy.swallow(direction);
    const waiting = session.get(path).catch((error: unknown) => error);
    await Promise.all(both);
    expect(order).toEqual(['ours', 'ensemble']);
    expect(states).toEqual(['suspended', 'ended']);
    expect(session.state).toBe('ended');
    expect(await session.ended).toMatch(/no server .* was reached in time/);
    expect(await waiting).toMatchObject({ code: expect.stringMatching(/CONNECTION_LOSS|SESSION_ENDED/) });
    await expect(session.exists('/')).rejects.toMatchObject({ code: 'SESSION_ENDED' });
    expect(await observer.exists(path)).toBeUndefined();
    proxy.heal();
    expect(session.state).toBe('ended');
    const next = await open();
    expect(next.id).not.toBe(session.id);
  },
);

it('skips a server that accepts but does not answer, and a missing one', async () => {
  zookeeper.processes[0].freeze();
  const problems: string[] = [];
  const stopped = new AbortController();
  const never = openZooKeeper({
    servers: [zookeeper.processes[0].at, { host: '127.0.0.1', port: 1 }],
    timeoutMs: 800,
    signal: stopped.signal,
    onProblem: (message) => problems.push(message),
  });
  const refused = expect(never).rejects.toThrow('enough');
  await vi.waitFor(() => {
    expect(problems.some((message) => /did not answer within 200 ms/.test(message))).toBe(true);
    expect(problems.some((message) => /127\.0\.0\.1:1: connect ECONNREFUSED/.test(message))).toBe(true);
  }, WITHIN);
  stopped.abort(new Error('enough'));
  await refused;
  zookeeper.processes[0].thaw();
});

it('ends when the server reports the end of its session', async () => {
  const session = await open();
  // Length, version and time precede the session's id; the length of the password precedes it.
  const greeting = proxy.lastGreeting();
  const resume = {
    id: greeting.subarray(12, 20),
    password: greeting.subarray(24, 40),
    zxid: Buffer.alloc(8),
  };
  expect(resume.id.toString('hex')).toBe(session.id);
  const path = freshPath();
  await session.create(path, bytes(''), 'open', 'ephemeral');
  proxy.cut();
  const server = zookeeper.processes[0].at;
  const twin = await connect({ server, timeoutMs: SESSION_MS, withinMs: 5000, resume });
  await twin.endSession();
  proxy.heal();
  expect(await session.ended).toMatch(/reports that the session has expired/);
  await expect(session.exists(path)).rejects.toMatchObject({ code: 'SESSION_ENDED' });
  expect(await (await open()).exists(path)).toBeUndefined();
});

it('keeps the session over a restart of the server within the session timeout', async () => {
  const session = await openZooKeeper({ servers: zookeeper.servers, timeoutMs: 4000 });
  sessions.push(session);
  const path = freshPath();
  await session.create(path, bytes(''), 'open', 'ephemeral');
  await zookeeper.processes[0].kill('SIGKILL');
  await zookeeper.processes[0].start();
  await zookeeper.ready();
  const left = await session.exists(path).catch((error: unknown) => error);
  // On a machine that is too busy, the session ends correctly.
  if (session.state === 'ended') expect(left).toMatchObject({ code: 'SESSION_ENDED' });
  else expect(left).toMatchObject({ owner: session.id });
});
