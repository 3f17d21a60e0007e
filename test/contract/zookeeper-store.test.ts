/** The store on a real ZooKeeper: the tests of all stores, and tests of this store. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadAll } from '../../src/scheduler/store/store.ts';
import { openZooKeeperStore } from '../../src/scheduler/store/zookeeper.ts';
import { readZooKeeperEvents } from '../../src/scheduler/store/zookeeper-read.ts';
import { ZooKeeperError, type ZooKeeperSession } from '../../src/zookeeper/client.ts';
import { LARGEST_REQUEST_BYTES, openZooKeeper } from '../../src/zookeeper/session.ts';
import { describeStore, removed } from '../scheduler/store-contract.ts';
import { type Ensemble, startZooKeeper } from './support/zookeeper.ts';
import { startProxy, type TcpProxy } from './support/zookeeper-proxy.ts';

const CREDENTIALS = 'mesosup:pw';
/** Small, so that a few events need several znodes and steps. */
const BYTES_PER_STEP = 300;
const SNAPSHOT_BYTES = 300;

let zookeeper: Ensemble;
let proxy: TcpProxy;
let session: ZooKeeperSession;
let count = 0;
const warnings: string[] = [];

beforeAll(async () => {
  zookeeper = await startZooKeeper(1);
  proxy = await startProxy(zookeeper.processes[0].at);
  session = await openZooKeeper({ servers: zookeeper.servers, credentials: CREDENTIALS, timeoutMs: 4000 });
});

afterEach(() => {
  warnings.length = 0;
});

afterAll(async () => {
  await session?.close();
  await proxy?.close();
  await zookeeper?.stop();
});

function freshPath(): string {
  count += 1;
  return `/mesosup/state${count}`;
}

function open(path: string, by: ZooKeeperSession = session, bytesPerStep = BYTES_PER_STEP) {
  const warn = (message: string) => warnings.push(message);
  return openZooKeeperStore({ session: by, path, warn, snapshotBytes: SNAPSHOT_BYTES, bytesPerStep });
}

/**
 * A fault just before or after the write with this number, from 0. Death: the process stops. Loss: the connection breaks
 * and is restored.
 */
interface Fault {
  kind: 'death' | 'loss';
  at: number;
  when: 'before' | 'after';
  /** True if the fault occurred. */
  struck?: boolean;
}

/** Wraps the session with a fault. */
function faulty(fault: Fault): ZooKeeperSession {
  let writes = 0;
  const failure = () =>
    fault.kind === 'death'
      ? new ZooKeeperError('SESSION_ENDED', 'the process is dead')
      : new ZooKeeperError('CONNECTION_LOSS', 'the connection was lost');
  const write = async <T>(make: () => Promise<T>): Promise<T> => {
    const number = writes;
    writes += 1;
    if (fault.kind === 'death' && fault.struck) throw failure();
    if (number !== fault.at) return make();
    fault.struck = true;
    if (fault.when === 'after') await make();
    throw failure();
  };
  return new Proxy(session, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const isWrite = name === 'multi' || name === 'set' || name === 'createPath';
      return (...args: unknown[]) =>
        isWrite ? write(() => Reflect.apply(value, target, args)) : Reflect.apply(value, target, args);
    },
  });
}

describeStore('ZooKeeper', () => {
  const path = freshPath();
  return {
    open: () => open(path),
    sharing: 'taken over',
    readBeside: () => readZooKeeperEvents(session, path),
    openDying: (at, when) => open(path, faulty({ kind: 'death', at, when })),
  };
});

async function names(path: string): Promise<string[]> {
  return ((await session.children(path)) ?? []).sort();
}

describe('the store on ZooKeeper', () => {
  it.each(['before', 'after'] as const)(
    'does each write once, though the connection is lost just %s it was made',
    async (when) => {
      const many = Array.from({ length: 30 }, (_, i) => removed(i));
      for (let at = 0; ; at += 1) {
        const path = freshPath();
        const fault: Fault = { kind: 'loss', at, when };
        const store = await open(path, faulty(fault));
        await store.append([removed(1)]);
        await store.append(many);
        await store.snapshot(many);
        await store.append([removed(2)]);
        expect(await loadAll(await open(path))).toEqual([...many, removed(2)]);
        expect(await names(path)).toEqual(['epoch', 'g00000002', 'head']);
        if (!fault.struck) break;
      }
    },
  );

  it('removes the rest of an interrupted write', async () => {
    const path = freshPath();
    const many = Array.from({ length: 30 }, (_, i) => removed(i));
    await (await open(path)).append([removed(1)]);
    // Two createPath and one set when opening, then two parts of the batch.
    const dying = await open(path, faulty({ kind: 'death', at: 5, when: 'before' }));
    await expect(dying.append(many)).rejects.toThrow('the process is dead');
    expect(await names(`${path}/g00000001`)).toEqual(['e0000000000', 'p0000000001-0', 'p0000000001-1']);
    const again = await open(path);
    expect(warnings).toEqual([expect.stringContaining('a batch of events was never completed')]);
    expect(await names(`${path}/g00000001`)).toEqual(['e0000000000']);
    await again.snapshot(many);
    const cut = await open(path, faulty({ kind: 'death', at: 6, when: 'before' }));
    await expect(cut.snapshot(many)).rejects.toThrow('the process is dead');
    expect(await names(path)).toEqual(['epoch', 'g00000002', 'g00000003', 'head']);
    expect(await loadAll(await open(path))).toEqual(many);
    expect(await names(path)).toEqual(['epoch', 'g00000002', 'head']);
  });

  it('splits data above the request limit into several requests', async () => {
    const path = freshPath();
    const store = await openZooKeeperStore({ session, path, warn: () => {} });
    const large = { ...removed(1), appId: 'x'.repeat(3 * LARGEST_REQUEST_BYTES) };
    await store.append([large, removed(2)]);
    await store.snapshot([large, large, removed(3)]);
    expect(await loadAll(await open(path))).toEqual([large, large, removed(3)]);
  });

  it('is accessible only to its creator', async () => {
    const path = freshPath();
    await (await open(path)).append([removed(1)]);
    const other = await openZooKeeper({ servers: zookeeper.servers, credentials: 'other:pw' });
    for (const znode of [path, `${path}/epoch`, `${path}/head`, `${path}/g00000001/e0000000000`]) {
      await expect(other.get(znode)).rejects.toMatchObject({ code: 'NO_AUTH' });
    }
    await expect(open(path, other)).rejects.toThrow(
      `${path} in ZooKeeper: it belongs to another identity: put its user:password into the address in --zk`,
    );
    await other.close();
  });

  it('refuses data of another version or program, and a state with a gap', async () => {
    const path = freshPath();
    const store = await open(path);
    await store.append([removed(1)]);
    await store.append([removed(2)]);
    await session.delete(`${path}/g00000001/e0000000000`);
    await expect(loadAll(await open(path))).rejects.toThrow('e0000000000 in ZooKeeper is missing');
    await session.set(path, Buffer.from('{"format":"mesosup-state","version":3}'));
    await expect(open(path)).rejects.toThrow('is not a state that this version can read');
  });

  it('accepts many batches before their number requires a snapshot', async () => {
    const path = freshPath();
    const store = await openZooKeeperStore({ session, path, warn: () => {} });
    let batches = 0;
    while (!store.snapshotDue()) {
      await store.append([removed(batches)]);
      batches += 1;
    }
    expect(batches).toBe(2000);
    expect(await loadAll(await open(path))).toHaveLength(2000);
  });

  it('needs no other snapshot when it is opened again, until it has grown as much', async () => {
    const path = freshPath();
    const events = (count: number) => Array.from({ length: count }, (_, i) => removed(i));
    const first = await open(path);
    await first.append(events(1000));
    expect(first.snapshotDue()).toBe(true);
    await first.snapshot(events(1000));
    await first.append(events(300));
    const store = await open(path);
    await loadAll(store);
    expect(store.snapshotDue()).toBe(false);
    await store.append(events(300));
    expect(store.snapshotDue()).toBe(false);
    await store.append(events(600));
    expect(store.snapshotDue()).toBe(true);
  });

  it('reads a generation of an earlier release, which has no size of its snapshot', async () => {
    const path = freshPath();
    const first = await open(path);
    await first.snapshot(Array.from({ length: 1000 }, (_, i) => removed(i)));
    await session.set(`${path}/g00000002`, Buffer.alloc(0));
    const store = await open(path);
    expect(await loadAll(store)).toHaveLength(1000);
    expect(store.snapshotDue()).toBe(true);
  });

  it('continues to write after a lost connection, but not after the end of the session', async () => {
    const path = freshPath();
    const by = await openZooKeeper({ servers: [proxy.at], credentials: CREDENTIALS, timeoutMs: 2000 });
    const store = await open(path, by);
    proxy.cut();
    const appended = store.append([removed(1)]);
    proxy.heal();
    await appended;
    proxy.swallow('both');
    await expect(store.append([removed(2)])).rejects.toThrow('the session with ZooKeeper has ended');
    proxy.heal();
    await expect(store.append([removed(3)])).rejects.toThrow('the session with ZooKeeper has ended');
    expect((await loadAll(await open(path)))[0]).toEqual(removed(1));
  });
});
