/** Repeats calls to Docker while the engine can't be reached. */

import { setTimeout as sleep } from 'node:timers/promises';
import { DockerUnavailableError } from '../docker/connection.ts';
import type { Log } from './log.ts';

/** Wait after the first failure, in milliseconds. */
export const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2000;

/** @returns the wait after the next failure, in milliseconds */
export function longerWait(wait: number): number {
  return Math.min(wait * 2, LONGEST_WAIT_MS);
}

export class DockerRetries {
  readonly #closed: AbortSignal;
  readonly #log: Log;

  /** @param closed aborted when failures are no longer repeated */
  constructor(closed: AbortSignal, log: Log) {
    this.#closed = closed;
    this.#log = log;
  }

  /** Repeats the attempt while Docker is unreachable. */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    for (let wait = FIRST_WAIT_MS; ; wait = longerWait(wait)) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof DockerUnavailableError) || this.#closed.aborted) throw error;
        this.#log({ level: 'warning', msg: 'waiting for Docker', reason: error.message });
        await sleep(wait);
      }
    }
  }
}
