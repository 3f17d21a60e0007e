/** Repeats connections that sshd drops at once. It does this at random when many clients connect (MaxStartups). */

import { setTimeout as wait } from 'node:timers/promises';

/** The pauses between the attempts add up to about 6 s. */
export const MAX_TRIES = 6;
const FIRST_PAUSE = 100;

/** Waits a random time, so that the next attempts to many hosts don't coincide. @param tries number of attempts so far */
export function pauseAfter(tries: number): Promise<void> {
  return wait(FIRST_PAUSE * 2 ** (tries - 1) * (0.5 + Math.random()));
}
