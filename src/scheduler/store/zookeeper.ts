/**
 * The store of several schedulers, in ZooKeeper:
 *
 *     <path>            the format
 *     <path>/epoch      its version is the fence: opening the store raises it, and each write checks it
 *     <path>/head       the number of the current generation
 *     <path>/g<number>  a generation: a snapshot and the batches of events since then (see batches.ts). Its own data is
 *                       the size of the snapshot, so that a new leader does not write another one at once; empty
 *                       without a snapshot, and in generations of earlier releases, which ignore it
 *     <path>/sessions   the sessions of people in browsers (see ../sign-in/session.ts)
 *
 * A batch is valid once its last znode exists. A snapshot is a new generation, which is valid once `head` names it.
 * Each step is one multi with a check of the epoch, so that a deposed leader can't write. A step is repeated after a
 * lost connection; if its znodes exist, the first attempt made them, since nobody else writes in the same epoch.
 */

import { parseJson } from '../../json.ts';
import { childPath } from '../../zookeeper/address.ts';
import {
  isZooKeeperError,
  type Operation,
  untilAnswered,
  type ZooKeeperSession,
} from '../../zookeeper/client.ts';
import type { StoredEvent } from '../domain/events.ts';
import { Pace } from '../pace.ts';
import { encodeBatch, encodeEvents, inBatches, listContents, type Part } from './batches.ts';
import type { Store } from './store.ts';
import { Turns } from './turns.ts';
import {
  FORMAT_TEXT,
  generationIn,
  generationPath,
  readGeneration,
  withStoreErrors,
} from './zookeeper-read.ts';

/** Well below ZooKeeper's limit of 1 MB per request, including the overhead. */
const BYTES_PER_STEP = 512 << 10;
const OPERATIONS_PER_STEP = 500;
/**
 * Minimum growth before a snapshot in bytes, or in batches; larger stores are compacted when the bytes have doubled.
 */
const SNAPSHOT_BYTES = 1 << 20;
const SNAPSHOT_BATCHES = 2000;

export interface ZooKeeperStoreOptions {
  session: ZooKeeperSession;
  /** Root path of the store; created if missing, accessible only to its creator. */
  path: string;
  warn: (message: string) => void;
  /** Minimum growth between snapshots. */
  snapshotBytes?: number;
  /** Maximum amount of data in one request. */
  bytesPerStep?: number;
}

/**
 * Takes the store over: processes that opened it earlier can't write any more.
 * @throws StoreError if the store can't be used
 */
export async function openZooKeeperStore(options: ZooKeeperStoreOptions): Promise<Store> {
  const store = new ZooKeeperStore(options);
  await store.open();
  return store;
}

interface SnapshotSize {
  readonly batches: number;
  readonly bytes: number;
}

class ZooKeeperStore implements Store {
  readonly #session: ZooKeeperSession;
  readonly #path: string;
  readonly #options: ZooKeeperStoreOptions;
  readonly #bytesPerStep: number;
  readonly #turns = new Turns();
  #epoch = 0;
  #generation = 1;
  #next = 0;
  #bytes = 0;
  #bytesOfSnapshot = 0;
  #batchesSinceSnapshot = 0;
  /** The batches that were appended since the beginning of the running snapshot. */
  #appended: Buffer[] | undefined;
  /** True if the znode of the sessions exists. */
  #hasSessions = false;

  constructor(options: ZooKeeperStoreOptions) {
    this.#options = options;
    this.#session = options.session;
    this.#path = options.path;
    this.#bytesPerStep = options.bytesPerStep ?? BYTES_PER_STEP;
  }

  open(): Promise<void> {
    return this.#guard(async () => {
      await this.#takeOver();
      await this.#cleanUp();
    });
  }

  async *load(): AsyncGenerator<StoredEvent[]> {
    const pace = new Pace();
    const read = readGeneration(this.#session, this.#pathOf(this.#generation));
    for (;;) {
      const { value, done } = await this.#guard(() => read.next());
      if (done) return;
      this.#bytes += value.bytes;
      yield value.events;
      await pace.pause();
    }
  }

  append(events: readonly StoredEvent[]): Promise<void> {
    const body = encodeEvents(events);
    const appended = this.#appended;
    return this.#guard(() =>
      this.#turns.take(async () => {
        this.#bytes += await this.#write(this.#generation, this.#next, body);
        this.#next += 1;
        this.#batchesSinceSnapshot += 1;
        // Not if the snapshot ended while this batch waited for its turn.
        if (appended === this.#appended) appended?.push(body);
      }),
    );
  }

  snapshotDue(): boolean {
    const least = this.#options.snapshotBytes ?? SNAPSHOT_BYTES;
    return (
      this.#bytes - this.#bytesOfSnapshot >= Math.max(least, this.#bytesOfSnapshot) ||
      this.#batchesSinceSnapshot >= SNAPSHOT_BATCHES
    );
  }

  snapshot(events: Iterable<StoredEvent>): Promise<void> {
    const appended: Buffer[] = [];
    this.#appended = appended;
    return this.#guard(async () => {
      const before = this.#generation;
      try {
        await this.#replaceGeneration(before + 1, events, appended);
      } finally {
        this.#appended = undefined;
      }
      await this.#removeGeneration(this.#pathOf(before));
    });
  }

  async #replaceGeneration(
    generation: number,
    events: Iterable<StoredEvent>,
    appended: readonly Buffer[],
  ): Promise<void> {
    await this.#step([this.#creation(this.#pathOf(generation), Buffer.alloc(0))]);
    const pace = new Pace();
    let batches = 0;
    let bytes = 0;
    for (const batch of inBatches(events)) {
      bytes += await this.#write(generation, batches, encodeEvents(batch));
      batches += 1;
      await pace.pause();
    }
    await this.#turns.take(async () => {
      this.#appended = undefined;
      let bytesAppended = 0;
      for (const [i, body] of appended.entries()) {
        bytesAppended += await this.#write(generation, batches + i, body);
      }
      const size: SnapshotSize = { batches, bytes };
      await this.#step([
        { type: 'set', path: this.#pathOf(generation), data: Buffer.from(JSON.stringify(size)) },
        { type: 'set', path: this.#at('head'), data: Buffer.from(String(generation)) },
      ]);
      this.#generation = generation;
      this.#next = batches + appended.length;
      this.#bytes = bytes + bytesAppended;
      this.#bytesOfSnapshot = bytes;
      this.#batchesSinceSnapshot = appended.length;
    });
  }

  loadSessions(): Promise<string | undefined> {
    return this.#guard(async () => {
      const znode = await untilAnswered(() => this.#session.get(this.#at('sessions')));
      this.#hasSessions = znode !== undefined;
      return znode?.data.toString('utf8');
    });
  }

  saveSessions(text: string): Promise<void> {
    return this.#guard(async () => {
      const path = this.#at('sessions');
      const data = Buffer.from(text);
      await this.#step([this.#hasSessions ? { type: 'set', path, data } : this.#creation(path, data)]);
      this.#hasSessions = true;
    });
  }

  /** Does nothing: the owner of the session closes it. */
  async close(): Promise<void> {}

  /** Raises the epoch, so that nobody else can write, and creates missing znodes. */
  async #takeOver(): Promise<void> {
    const { session, path } = this.#options;
    const epoch = this.#at('epoch');
    await untilAnswered(() => session.createPath(path, 'creator'));
    await untilAnswered(() => session.createPath(epoch, 'creator'));
    this.#epoch = (await untilAnswered(() => session.set(epoch, Buffer.alloc(0)))).version;
    const format = (await untilAnswered(() => session.get(path)))?.data.toString('utf8') ?? '';
    const head = await untilAnswered(() => session.get(this.#at('head')));
    if (!head && format === '') {
      await this.#step([
        { type: 'set', path, data: Buffer.from(FORMAT_TEXT) },
        this.#creation(this.#pathOf(1), Buffer.alloc(0)),
        this.#creation(this.#at('head'), Buffer.from('1')),
      ]);
      return;
    }
    this.#generation = generationIn(path, format, head?.data);
  }

  /** Removes the remains of interrupted snapshots and batches, and counts the complete batches. */
  async #cleanUp(): Promise<void> {
    const current = this.#pathOf(this.#generation);
    const names = (await untilAnswered(() => this.#session.children(this.#path))) ?? [];
    for (const name of names) {
      const path = this.#at(name);
      if (/^g\d+$/.test(name) && path !== current) await this.#removeGeneration(path);
    }
    const { batches, torn } = listContents(
      (await untilAnswered(() => this.#session.children(current))) ?? [],
    );
    this.#next = batches.length;
    const size = sizeIn((await untilAnswered(() => this.#session.get(current)))?.data);
    this.#bytesOfSnapshot = size.bytes;
    this.#batchesSinceSnapshot = batches.length - size.batches;
    if (torn.length === 0) return;
    this.#options.warn(`${current}: a batch of events was never completed; removing its parts`);
    await this.#remove(torn.map((name) => childPath(current, name)));
  }

  /** @returns the bytes written */
  async #write(generation: number, number: number, body: Buffer): Promise<number> {
    let bytes = 0;
    let waiting: Part[] = [];
    let size = 0;
    const path = this.#pathOf(generation);
    const flush = async (): Promise<void> => {
      await this.#step(waiting.map(({ name, data }) => this.#creation(childPath(path, name), data)));
      waiting = [];
      size = 0;
    };
    for (const part of encodeBatch(number, body, this.#bytesPerStep)) {
      if (size > 0 && size + part.data.length > this.#bytesPerStep) await flush();
      waiting.push(part);
      size += part.data.length;
      bytes += part.data.length;
    }
    await flush();
    return bytes;
  }

  async #removeGeneration(path: string): Promise<void> {
    const names = (await untilAnswered(() => this.#session.children(path))) ?? [];
    await this.#remove([...names.map((name) => childPath(path, name)), path]);
  }

  async #remove(paths: readonly string[]): Promise<void> {
    for (let from = 0; from < paths.length; from += OPERATIONS_PER_STEP) {
      const some = paths.slice(from, from + OPERATIONS_PER_STEP);
      await this.#step(some.map((path) => ({ type: 'delete', path })));
    }
  }

  /** Applies all operations, unless another process has taken over. */
  async #step(operations: readonly Operation[]): Promise<void> {
    const fence: Operation = { type: 'check', path: this.#at('epoch'), version: this.#epoch };
    let repeated = false;
    for (;;) {
      try {
        await this.#session.multi([fence, ...operations]);
        return;
      } catch (error) {
        // ZooKeeper checks the fence first, so this error shows that the fence holds and that the step was done.
        if (repeated && isZooKeeperError(error, 'NODE_EXISTS', 'NO_NODE')) return;
        if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
        repeated = true;
      }
    }
  }

  #creation(path: string, data: Buffer): Operation {
    return { type: 'create', path, data, access: 'creator' };
  }

  #at(name: string): string {
    return childPath(this.#path, name);
  }

  #pathOf(generation: number): string {
    return generationPath(this.#path, generation);
  }

  #guard<T>(work: () => Promise<T>): Promise<T> {
    return withStoreErrors(this.#path, work);
  }
}

/** @param data of the znode of a generation */
function sizeIn(data: Buffer | undefined): SnapshotSize {
  const { batches, bytes } = (parseJson(data?.toString('utf8') ?? '') ?? {}) as Partial<SnapshotSize>;
  return { batches: Number(batches ?? 0), bytes: Number(bytes ?? 0) };
}
