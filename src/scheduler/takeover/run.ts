/** Runs a takeover that was planned and accepted. */

import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../mesos/http.ts';
import type { ZooKeeperAddress } from '../../zookeeper/address.ts';
import { type Place, showPlace } from '../backup/place.ts';
import type { StoredEvent } from '../domain/events.ts';
import type { FrameworkFacts } from './framework.ts';
import { findKeptAddress, keptAddress, type Latch, releaseLatch, withLatch } from './latch.ts';
import type { TakeoverPlan } from './plan.ts';
import type { Reading } from './reading.ts';
import { type Marathon, type Master, readMarathonState, readMasterState, TakeoverError } from './sources.ts';
import { checkStore, fillStore } from './store.ts';
import { waitUntilStopped } from './wait.ts';

/** How long Marathon may need to lead again. */
const BACK_WITHIN_MS = 60_000;

export interface Planned {
  readonly plan: TakeoverPlan;
  readonly events: readonly StoredEvent[];
}

export interface RunOptions {
  readonly marathon: Marathon;
  readonly master: Master;
  readonly place: Place;
  /** The reading that was planned. */
  readonly first: Reading;
  /** Where Marathon elects its leader. Absent: an operator stops Marathon. */
  readonly election: ZooKeeperAddress | undefined;
  readonly waitMs: number;
  /** Plans with the last state of Marathon. Throws if that can't be taken over. */
  readonly plan: (reading: Reading, facts: FrameworkFacts) => Planned;
  readonly onProgress: (message: string) => void;
}

/**
 * Waits until Marathon has stopped, and writes the state of its framework into the store.
 * @throws StoreError, TakeoverError
 */
export async function runTakeover(options: RunOptions): Promise<Planned> {
  const { place, election, onProgress } = options;
  let done: Planned | undefined;
  await fillStore(place, onProgress, async () => {
    const work = (latch?: Latch) => awaitMarathon(options, latch);
    done = await (election ? withLatch(election, work) : work());
    return done.events;
  });
  if (!done) throw new TypeError('the store was filled without a plan');
  return done;
}

async function awaitMarathon(options: RunOptions, latch: Latch | undefined): Promise<Planned> {
  const { marathon, master, place, first, waitMs, plan, onProgress } = options;
  const readMaster = () => readMasterState(master, first.frameworkId);
  let reading = first;
  const abdicate = async (address: string): Promise<void> => {
    const latest = await readMarathonState(marathon).catch(() => undefined);
    if (latest) {
      reading = latest;
      plan(latest, await readMaster());
    }
    onProgress(`asking the Marathon at ${address} to give up its leadership`);
    // Where its own address can't be reached from here, the URL of the command may lead to it.
    await marathon
      .at(address)
      .abdicate()
      .catch(() => marathon.abdicate())
      .catch((error: unknown) => onProgress(messageOf(error)));
  };
  await latch?.lead(abdicate, waitMs);
  const stopped = await waitUntilStopped({
    reading,
    readMarathon: () => readMarathonState(marathon),
    readMaster,
    isHeld: () => latch?.leads() ?? false,
    waitMs,
    onProgress,
  });
  const final = plan(stopped.reading, stopped.facts);
  await latch?.keep(place);
  return final;
}

/**
 * Lets Marathon lead again after a takeover that was killed between its last two steps.
 * @throws StoreError if that takeover was completed, TakeoverError if it was one into another state
 */
export async function endInterrupted(
  election: ZooKeeperAddress,
  place: Place,
  marathon: Marathon,
  onProgress: (message: string) => void,
): Promise<void> {
  const kept = await findKeptAddress(election);
  if (kept === undefined) return;
  refuseUnlessInto(place, kept);
  await checkStore(place, onProgress);
  await releaseLatch(election);
  onProgress("A takeover was interrupted: gave up its leadership in Marathon's election.");
  for (const end = performance.now() + BACK_WITHIN_MS; performance.now() < end; await sleep(1000)) {
    const answers = await readMarathonState(marathon).then(
      () => true,
      () => false,
    );
    if (answers) return;
  }
}

/**
 * The scheduler of another state may run with the framework, which Marathon would take back.
 * @param kept the address that the takeover left in the election
 * @throws TakeoverError
 */
export function refuseUnlessInto(place: Place, kept: string): void {
  if (kept === keptAddress(place)) return;
  throw new TakeoverError(
    `a takeover into another state than ${showPlace(place)} keeps the leadership in Marathon's election. Nothing was changed. Name that state with --data-dir or --zk, or give the leadership up with --release after you have stopped its scheduler`,
  );
}
