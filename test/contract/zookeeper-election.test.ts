/** Election and detection on a real ensemble of three, whose servers are killed and frozen. */

import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { ZooKeeperServer } from '../../src/zookeeper/address.ts';
import type { ZooKeeperSession } from '../../src/zookeeper/client.ts';
import { createMasterDetector, followMasters, type MasterInfo } from '../../src/zookeeper/detect.ts';
import { type Candidacy, contend } from '../../src/zookeeper/election.ts';
import { openZooKeeper } from '../../src/zookeeper/session.ts';
import { type Ensemble, startZooKeeper, type ZooKeeperProcess } from './support/zookeeper.ts';
import { startProxy, type TcpProxy } from './support/zookeeper-proxy.ts';

/** Longer than a server is held up on a busy machine. */
const SESSION_MS = 4000;
const WITHIN = { timeout: 30_000, interval: 20 };

let zookeeper: Ensemble;
let count = 0;
const cleanUps: (() => Promise<unknown> | unknown)[] = [];

beforeAll(async () => {
  zookeeper = await startZooKeeper(3);
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

afterAll(() => zookeeper?.stop());

type Servers = readonly [ZooKeeperServer, ...ZooKeeperServer[]];

async function open(servers: Servers = zookeeper.servers, credentials?: string): Promise<ZooKeeperSession> {
  const session = await openZooKeeper({
    servers,
    timeoutMs: SESSION_MS,
    ...(credentials !== undefined && { credentials }),
  });
  cleanUps.push(() => session.close());
  return session;
}

function freshPath(): string {
  count += 1;
  return `/group${count}/deep`;
}

/** The servers, each through a separate proxy for one contender. */
async function proxied(): Promise<{ servers: Servers; proxies: TcpProxy[] }> {
  const proxies = await Promise.all(zookeeper.servers.map((server) => startProxy(server)));
  for (const proxy of proxies) cleanUps.push(() => proxy.close());
  const [first, ...others] = proxies.map(({ at }) => at);
  if (!first) throw new Error('no servers');
  return { servers: [first, ...others], proxies };
}

interface Contender {
  name: string;
  session: ZooKeeperSession;
  candidacy: Candidacy;
  overBecause?: string;
}

/** Records each election, and any other candidate that still led. */
class Poll {
  readonly path: string;
  readonly elected: string[] = [];
  readonly clashes: string[] = [];
  readonly contenders: Contender[] = [];

  constructor(path = freshPath()) {
    this.path = path;
  }

  join(name: string, session: ZooKeeperSession, prefix = 'member_'): Contender {
    const candidacy = contend({
      session,
      path: this.path,
      prefix,
      data: Buffer.from(name),
      access: 'open',
      onElected: () => {
        this.elected.push(name);
        for (const other of this.contenders) {
          if (other.name !== name && other.candidacy.isLeader())
            this.clashes.push(`${name} and ${other.name}`);
        }
      },
      onOver: (reason) => {
        contender.overBecause = reason;
      },
    });
    const contender: Contender = { name, session, candidacy };
    this.contenders.push(contender);
    return contender;
  }

  async leader(name: string): Promise<void> {
    await vi.waitFor(() => expect(this.elected.at(-1)).toBe(name), WITHIN);
  }
}

async function followerOf(servers: readonly ZooKeeperProcess[]): Promise<ZooKeeperProcess> {
  for (const server of servers) if ((await server.mode()) === 'follower') return server;
  throw new Error('no server follows');
}

async function leaderOf(servers: readonly ZooKeeperProcess[]): Promise<ZooKeeperProcess> {
  for (const server of servers) if ((await server.mode()) === 'leader') return server;
  throw new Error('no server leads');
}

it('elects the next candidate after withdrawal, end of session, and removal', async () => {
  const poll = new Poll();
  const a = poll.join('a', await open());
  await poll.leader('a');
  const b = poll.join('b', await open());
  const c = poll.join('c', await open());
  const d = poll.join('d', await open());
  const admin = await open();
  await vi.waitFor(async () => expect(await admin.children(poll.path)).toHaveLength(4), WITHIN);
  expect(poll.contenders.map(({ candidacy }) => candidacy.isLeader())).toEqual([true, false, false, false]);
  expect(poll.elected).toEqual(['a']);

  const names = ((await admin.children(poll.path)) ?? []).sort();
  const withNames = await Promise.all(
    names.map(async (name) => [String((await admin.get(`${poll.path}/${name}`))?.data), name]),
  );
  const nameOf = Object.fromEntries(withNames);
  await a.candidacy.withdraw();
  expect(a.candidacy.isLeader()).toBe(false);
  await vi.waitFor(() => expect(poll.elected).toHaveLength(2), WITHIN);
  const second = poll.contenders.find(({ candidacy }) => candidacy.isLeader()) ?? a;
  await second.session.close();
  await vi.waitFor(() =>
    expect(second.overBecause).toMatch(/session with ZooKeeper has ended: it was closed/),
  );
  await vi.waitFor(() => expect(poll.elected).toHaveLength(3), WITHIN);
  const third = poll.contenders.find(({ candidacy }) => candidacy.isLeader()) ?? a;
  expect(poll.clashes).toEqual([]);
  await admin.delete(`${poll.path}/${nameOf[third.name]}`);
  await vi.waitFor(() => expect(third.overBecause).toMatch(/member_\d{10} was removed/), WITHIN);
  await vi.waitFor(() => expect(poll.elected).toHaveLength(4), WITHIN);
  expect(new Set(poll.elected)).toEqual(new Set(['a', 'b', 'c', 'd']));
  expect([b, c, d].filter(({ candidacy }) => candidacy.isLeader())).toHaveLength(1);
  expect(a.overBecause).toBeUndefined();
});

it('never has two leaders during different network failures of the leader', async () => {
  const poll = new Poll();
  const ways = ['both', 'to-server', 'to-client', 'cut'] as const;
  const views = await Promise.all(ways.map(() => proxied()));
  // They join in order, so that they are elected in this order.
  for (const [i, way] of ways.entries()) {
    poll.join(way, await open(views[i]?.servers));
    const admin = await open();
    await vi.waitFor(async () => expect(await admin.children(poll.path)).toHaveLength(i + 1), WITHIN);
  }
  poll.join('last', await open());
  await poll.leader('both');
  for (const [i, way] of ways.entries()) {
    for (const proxy of views[i]?.proxies ?? []) {
      if (way === 'cut') proxy.cut();
      else proxy.swallow(way);
    }
    await poll.leader(ways[i + 1] ?? 'last');
    for (const proxy of views[i]?.proxies ?? []) proxy.heal();
    expect(poll.contenders[i]?.overBecause).toMatch(/session with ZooKeeper has ended/);
  }
  expect(poll.elected).toEqual([...ways, 'last']);
  expect(poll.clashes).toEqual([]);
});

it('keeps its leader after kill -9 of its server, and of the ensemble’s leader', async () => {
  const poll = new Poll();
  const follower = await followerOf(zookeeper.processes);
  const others = zookeeper.servers.filter(({ port }) => port !== follower.at.port);
  const longer = await openZooKeeper({ servers: [follower.at, ...others], timeoutMs: 8000 });
  cleanUps.push(() => longer.close());
  const a = poll.join('a', longer);
  await poll.leader('a');
  for (const killed of [follower, await leaderOf(zookeeper.processes)]) {
    const states: string[] = [];
    longer.onState((state) => states.push(state));
    await killed.kill('SIGKILL');
    const probe = await open();
    expect((await probe.children(poll.path))?.length).toBe(1);
    await killed.start();
    await zookeeper.ready();
    await vi.waitFor(() => expect(longer.state).not.toBe('suspended'), WITHIN);
  }
  // On a machine that is too busy to elect a server within the session timeout, the session ends correctly.
  expect([a.candidacy.isLeader(), a.overBecause === undefined]).toEqual(
    longer.state === 'ended' ? [false, false] : [true, true],
  );
});

it('stops leading when its server has lost the majority, even if the server still answers', async () => {
  const poll = new Poll();
  const server = await followerOf(zookeeper.processes);
  const a = poll.join('a', await open([server.at]));
  await poll.leader('a');
  const others = zookeeper.processes.filter((other) => other !== server);
  for (const other of others) other.freeze();
  cleanUps.push(async () => {
    for (const other of others) other.thaw();
    await zookeeper.ready();
  });
  await vi.waitFor(() => expect(a.overBecause).toMatch(/connected to a majority/), WITHIN);
  expect(a.candidacy.isLeader()).toBe(false);
  expect(await server.mode()).toBe('follower');
});

it('has one znode, even if the answer to its creation was lost', async () => {
  // The root exists, so the first request creates the candidate's znode.
  const poll = new Poll('/');
  const { servers, proxies } = await proxied();
  const a = poll.join('a', await open([servers[0]]), 'once_');
  proxies[0]?.breakAfter(1);
  await poll.leader('a');
  const names = (await (await open()).children('/')) ?? [];
  expect(names.filter((name) => name.startsWith('once_'))).toHaveLength(1);
  expect(a.overBecause).toBeUndefined();
});

it('reports why it can not take part', async () => {
  const path = freshPath();
  const owner = await open(zookeeper.servers, 'me:pw');
  await owner.createPath(path, 'creator');
  const reason = await new Promise<string>((resolve) => {
    void open().then((session) =>
      contend({
        session,
        path,
        prefix: 'member_',
        data: Buffer.alloc(0),
        access: 'open',
        onElected: () => resolve('elected'),
        onOver: resolve,
      }),
    );
  });
  expect(reason).toMatch(/access list does not allow/);
});

function master(id: string): Buffer {
  return Buffer.from(
    JSON.stringify({ id, ip: 16_777_343, port: 5050, hostname: id, pid: `master@${id}:5050` }),
  );
}

/** Records the ids of reported leaders (`-` for none) and problems. */
function follow(session: ZooKeeperSession, path: string): { leaders: string[]; problems: string[] } {
  const leaders: string[] = [];
  const problems: string[] = [];
  followMasters({
    session,
    path,
    onLeader: (leader: MasterInfo | undefined) => leaders.push(leader?.id ?? '-'),
    onProblem: (message) => problems.push(message),
  });
  return { leaders, problems };
}

it('follows the leading master, starting before the first election', async () => {
  const path = freshPath();
  const session = await open();
  const { leaders, problems } = follow(await open(), path);
  const expectLeaders = (...ids: string[]) => vi.waitFor(() => expect(leaders).toEqual(ids), WITHIN);
  await expectLeaders('-');
  await session.createPath(path, 'open');
  const stand = (id: string, prefix = 'json.info_') =>
    session.create(`${path}/${prefix}`, master(id), 'open', 'ephemeral-sequential');
  await stand('x', 'log_');
  const m1 = await stand('m1');
  await expectLeaders('-', 'm1');
  const m2 = await stand('m2');
  const m3 = await stand('m3');
  await session.delete(m2);
  await session.delete(m1);
  await expectLeaders('-', 'm1', 'm3');
  await session.delete(m3);
  await expectLeaders('-', 'm1', 'm3', '-');
  expect(problems).toEqual([]);

  await stand('old', 'info_');
  await vi.waitFor(() => expect(problems.join()).toContain('before 0.24, which is not supported'), WITHIN);
  const garbage = await session.create(
    `${path}/json.info_`,
    Buffer.from('?'),
    'open',
    'ephemeral-sequential',
  );
  await vi.waitFor(() => expect(problems.join()).toContain('does not contain MasterInfo as JSON'), WITHIN);
  await session.delete(garbage);
  await stand('m4');
  await vi.waitFor(() => expect(leaders.at(-1)).toBe('m4'), WITHIN);
});

it('reports that its identity may not read the masters', async () => {
  const path = freshPath();
  await (await open(zookeeper.servers, 'me:pw')).createPath(path, 'creator');
  const { problems } = follow(await open(), path);
  await vi.waitFor(() => expect(problems.join()).toContain('add user:password to the zk:// address'), WITHIN);
});

it('continues detection with a new session after the end of each session', async () => {
  const path = freshPath();
  const masters = await open();
  await masters.createPath(path, 'open');
  const stand = (id: string) =>
    masters.create(`${path}/json.info_`, master(id), 'open', 'ephemeral-sequential');
  const { servers, proxies } = await proxied();
  const opened: string[] = [];
  const detector = createMasterDetector({
    path,
    open: async (signal) => {
      const session = await openZooKeeper({ servers, timeoutMs: SESSION_MS, signal });
      opened.push(session.id);
      return session;
    },
  });
  cleanUps.push(() => detector.stop());
  await expect(detector.detect()).rejects.toThrow('ZooKeeper was not reached yet');
  await vi.waitFor(
    () => expect(detector.detect()).rejects.toThrow(`no master has registered at ${path}`),
    WITHIN,
  );
  const m1 = await stand('m1');
  await vi.waitFor(async () => expect(await detector.detect()).toBe('m1:5050'), WITHIN);

  for (const proxy of proxies) proxy.swallow('both');
  await vi.waitFor(() => expect(detector.leader).toBeUndefined(), WITHIN);
  await expect(detector.detect()).rejects.toThrow('the session with ZooKeeper ended: no server');
  await masters.delete(m1);
  await stand('m2');
  for (const proxy of proxies) proxy.heal();
  await vi.waitFor(async () => expect(await detector.detect()).toBe('m2:5050'), WITHIN);
  expect(new Set(opened).size).toBe(2);
});
