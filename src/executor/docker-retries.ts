/** Repeats calls to Docker while the engine can't be reached. */

import { setTimeout as sleep } from 'node:timers/promises';
import { DockerError, DockerUnavailableError } from '../docker/connection.ts';
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
  run<T>(attempt: () => Promise<T>): Promise<T> {
    return this.#repeat(attempt, (error) => error instanceof DockerUnavailableError);
  }

  /** Repeats the attempt until it succeeds, whatever Docker answers: for a request that can't be wrong. */
  runUntilAnswered<T>(attempt: () => Promise<T>): Promise<T> {
    const isOfDocker = (error: unknown) =>
      error instanceof DockerUnavailableError || error instanceof DockerError;
    return this.#repeat(attempt, isOfDocker);
  }

  async #repeat<T>(attempt: () => Promise<T>, isRepeated: (error: unknown) => boolean): Promise<T> {
    for (let wait = FIRST_WAIT_MS; ; wait = longerWait(wait)) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Error) || !isRepeated(error) || this.#closed.aborted) throw error;
        this.#log({ level: 'warning', msg: 'waiting for Docker', reason: error.message });
        await sleep(wait);
      }
    }
  }
}
