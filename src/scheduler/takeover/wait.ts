/** Waits until a Marathon has stopped, and keeps the last that it said. */

import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../mesos/http.ts';
import { type FrameworkFacts, whileRecovering } from './framework.ts';
import type { Reading } from './reading.ts';
import { TakeoverError } from './sources.ts';

const EVERY_MS = 1000;
/** How long Marathon must be gone: an instance that was restarted would answer by then. */
const GONE_FOR_MS = 5000;
/** Time that another instance needs after the session of the leader has ended, to load its state and to subscribe. */
const LEADS_WITHIN_MS = 10_000;
const REMIND_EVERY_MS = 30_000;

export interface WaitOptions {
  /** The last reading so far. */
  readonly reading: Reading;
  /** Reads Marathon again; rejects if it does not answer. */
  readonly readMarathon: () => Promise<Reading>;
  readonly readMaster: () => Promise<FrameworkFacts>;
  /** True if Marathon can't come back, so that the master's word is enough. */
  readonly isHeld: () => boolean;
  readonly waitMs: number;
  readonly onProgress: (message: string) => void;
}

/**
 * Resolves when no scheduler has been subscribed with the framework's id and Marathon has not answered for so long that
 * no other instance of it can follow. A master that has just failed over shows frameworks as not connected, so its word
 * alone does not suffice, and it does not know the tasks on agents that have not registered again.
 * @throws TakeoverError when the time is over
 */
export async function waitUntilStopped(
  options: WaitOptions,
): Promise<{ reading: Reading; facts: FrameworkFacts }> {
  const { readMarathon, readMaster, isHeld, waitMs, onProgress } = options;
  const end = performance.now() + waitMs;
  let { reading } = options;
  let goneSince: number | undefined;
  let remindAt = 0;
  for (;;) {
    const { sessionTimeoutMs } = reading;
    const goneForMs =
      isHeld() || sessionTimeoutMs === undefined ? GONE_FOR_MS : sessionTimeoutMs + LEADS_WITHIN_MS;
    const answers = await readMarathon().then(
      (next) => {
        reading = next;
        return true;
      },
      () => false,
    );
    let why: string;
    try {
      const facts = await readMaster();
      const isGone = !facts.connected && (isHeld() || !answers);
      if (isGone && facts.recovering.length === 0) {
        if (goneSince === undefined) {
          goneSince = performance.now();
          onProgress(
            `Marathon has stopped; making sure for ${goneForMs / 1000} s that it does not come back`,
          );
        }
        if (performance.now() - goneSince >= goneForMs) return { reading, facts };
      } else {
        goneSince = undefined;
      }
      if (isGone) why = whileRecovering(facts.recovering);
      else if (facts.connected) why = `its framework ${facts.id} is still connected to the master`;
      else why = 'it still answers requests';
    } catch (error) {
      goneSince = undefined;
      why = messageOf(error);
    }
    const now = performance.now();
    if (now >= end && goneSince === undefined) {
      throw new TakeoverError(
        `Marathon has not stopped within ${Math.round(waitMs / 1000)} s: ${why}. Nothing was changed. Stop all instances of Marathon, and run the command again before or while you do so`,
      );
    }
    if (now >= remindAt && goneSince === undefined) {
      onProgress(`waiting until Marathon is stopped: ${why}`);
      remindAt = now + REMIND_EVERY_MS;
    }
    await sleep(EVERY_MS);
  }
}
