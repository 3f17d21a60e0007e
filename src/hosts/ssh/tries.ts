/** How often a connection is tried that sshd drops at once, as it does by chance when many are made (MaxStartups). */

import { setTimeout as wait } from 'node:timers/promises';

/** The pauses between them come to 6 s. */
export const MAX_TRIES = 6;
const FIRST_PAUSE = 100;

/** Spread out, so that many hosts' next tries don't meet again. @param tries how many there were */
export function pauseAfter(tries: number): Promise<void> {
  return wait(FIRST_PAUSE * 2 ** (tries - 1) * (0.5 + Math.random()));
}
