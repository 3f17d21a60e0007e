/** Reads the store in ZooKeeper; zookeeper.ts describes its layout. */

import { parseJson } from '../../json.ts';
import { childPath } from '../../zookeeper/address.ts';
import { isZooKeeperError, untilAnswered, type ZooKeeperSession } from '../../zookeeper/client.ts';
import type { StoredEvent } from '../domain/events.ts';
import { batchName, decodeEvents, joinBatch, listContents } from './batches.ts';
import { describeHeadProblem, eventReader } from './formats.ts';
import { STATE_VERSION, StoreError } from './store.ts';

const FORMAT = { format: 'mesosup-state', version: STATE_VERSION };
/** The data of the root znode of the state. */
export const FORMAT_TEXT = JSON.stringify(FORMAT);
/** Bounds what is read ahead of the events that are taken: a batch of a snapshot has some 300 KB. */
const READS_AT_ONCE = 64;

/**
 * Reads all events as of one moment without changing anything; a scheduler may use the store meanwhile.
 * @throws StoreError if there is no state, or this version can't read it
 */
export function readZooKeeperEvents(session: ZooKeeperSession, path: string): Promise<StoredEvent[]> {
  return withStoreErrors(path, async () => {
    const head = childPath(path, 'head');
    const none = () =>
      new StoreError(`${path} in ZooKeeper contains no scheduler state: choose another path with --zk`);
    await catchUp(session, head, none);
    for (;;) {
      const format = (await untilAnswered(() => session.get(path)))?.data.toString('utf8') ?? '';
      const before = await untilAnswered(() => session.get(head));
      if (!before) throw none();
      const generation = generationPath(path, generationIn(path, format, before.data));
      const read = await readAll(session, generation).catch((error: Error) => error);
      // A concurrent snapshot removes the znodes of this generation.
      if ((await untilAnswered(() => session.get(head)))?.version !== before.version) continue;
      if (read instanceof Error) throw read;
      return read;
    }
  });
}

async function readAll(session: ZooKeeperSession, generation: string): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for await (const { events } of readGeneration(session, generation)) {
    for (const event of events) all.push(event);
  }
  return all;
}

/** Brings a lagging server up to date: a transaction does so even if it changes nothing. */
async function catchUp(session: ZooKeeperSession, path: string, missing: () => Error): Promise<void> {
  try {
    await untilAnswered(() => session.multi([{ type: 'check', path }]));
  } catch (error) {
    throw isZooKeeperError(error, 'NO_NODE') ? missing() : error;
  }
}

export interface Batch {
  readonly events: StoredEvent[];
  /** As stored. */
  readonly bytes: number;
}

/**
 * Lists the batches in order, and requests the next ones meanwhile.
 * @throws StoreError if a batch is missing
 */
export async function* readGeneration(session: ZooKeeperSession, generation: string): AsyncGenerator<Batch> {
  const data = async (name: string): Promise<Buffer> => {
    const znode = await untilAnswered(() => session.get(childPath(generation, name)));
    if (!znode) {
      throw new StoreError(
        `${childPath(generation, name)} in ZooKeeper is missing, but later batches exist: choose another path with --zk, and restore a backup there ("mesosup scheduler restore") or start without apps and tasks`,
      );
    }
    return znode.data;
  };
  const { batches } = listContents((await untilAnswered(() => session.children(generation))) ?? []);
  const read = eventReader((why) => new StoreError(`${generation} in ZooKeeper ${why}`));
  const requested: Promise<Buffer>[] = [];
  const request = (number: number): void => {
    const body = data(batchName(number)).then((last) => joinBatch(number, last, data));
    // Reported when its turn comes; an earlier failure ends the list before.
    body.catch(() => {});
    requested.push(body);
  };
  for (let taken = 0; taken < batches.length; taken += 1) {
    // Counts up instead of using the names, so that a gap is detected.
    while (requested.length < READS_AT_ONCE && taken + requested.length < batches.length)
      request(taken + requested.length);
    const body = await requested.shift();
    if (body) yield { events: read(decodeEvents(body)), bytes: body.length };
  }
}

/** @returns the number of the current generation */
export function generationIn(path: string, format: string, head: Buffer | undefined): number {
  if (format === FORMAT_TEXT && head) return Number(head.toString('utf8'));
  throw new StoreError(
    `${path} in ZooKeeper is not a state that this version can read ${describeHeadProblem(parseJson(format), FORMAT)}, or choose another path with --zk to start without apps and tasks`,
  );
}

export function generationPath(path: string, generation: number): string {
  return childPath(path, `g${String(generation).padStart(8, '0')}`);
}

/** Converts errors of ZooKeeper to StoreErrors that say what to do. */
export async function withStoreErrors<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreError || !(error instanceof Error)) throw error;
    const why = isZooKeeperError(error, 'BAD_VERSION')
      ? 'another scheduler has taken over the state'
      : isZooKeeperError(error, 'NO_AUTH')
        ? 'it belongs to another identity: put its user:password into the address in --zk'
        : error.message;
    throw new StoreError(`${path} in ZooKeeper: ${why}`, { cause: error });
  }
}
