/** Stops containers: the container's stop signal, the grace period, then SIGKILL. */

import { setTimeout as sleep } from 'node:timers/promises';
import { DockerError, DockerUnavailableError } from '../docker/connection.ts';
import type { DockerEngine } from '../docker/engine.ts';
import { FIRST_WAIT_MS, longerWait } from './docker-retries.ts';
import type { Log } from './log.ts';

const DEFAULT_SIGNAL = 'SIGTERM';

interface Stop {
  /** From the stop signal to SIGKILL, in milliseconds; from the last call, if that came after the signal. */
  graceMs: number;
  /** Aborts the wait for SIGKILL, which then begins again. */
  hasten: AbortController;
  /** Aborts everything: the container has ended. */
  readonly over: AbortController;
}

export class ContainerStops {
  readonly #engine: DockerEngine;
  readonly #log: Log;
  /** By container. */
  readonly #stops = new Map<string, Stop>();

  constructor(engine: DockerEngine, log: Log) {
    this.#engine = engine;
    this.#log = log;
  }

  /**
   * Begins to stop a container; the wait for its exit is elsewhere. A second call does not repeat the signal, which some
   * programs take for a demand to give up their work; it changes only when SIGKILL follows. While Docker is unreachable,
   * the attempts are repeated, and the grace period begins with the signal.
   */
  stop(container: string, graceMs: number): void {
    const known = this.#stops.get(container);
    if (known) {
      known.graceMs = graceMs;
      known.hasten.abort();
      return;
    }
    const stop: Stop = { graceMs, hasten: new AbortController(), over: new AbortController() };
    this.#stops.set(container, stop);
    this.#run(container, stop).catch((error: unknown) => {
      if (stop.over.signal.aborted) return;
      this.#log({ level: 'error', msg: 'cannot stop the container', container, reason: String(error) });
    });
  }

  /** To be called when the container has ended. */
  ended(container: string): void {
    this.#stops.get(container)?.over.abort();
    this.#stops.delete(container);
  }

  close(): void {
    for (const container of [...this.#stops.keys()]) this.ended(container);
  }

  async #run(container: string, stop: Stop): Promise<void> {
    const { signal } = stop.over;
    if (!(await this.#repeat(container, signal, () => this.#sendStopSignal(container)))) return;
    for (;;) {
      stop.hasten = new AbortController();
      const wait = AbortSignal.any([stop.hasten.signal, signal]);
      const isOver = await sleep(stop.graceMs, true, { signal: wait }).catch(() => false);
      if (signal.aborted) return;
      if (isOver) break;
    }
    await this.#repeat(container, signal, () => this.#engine.killContainer(container));
  }

  async #sendStopSignal(container: string): Promise<void> {
    const info = await this.#engine.inspectContainer(container);
    if (!info) throw new DockerError('the container is gone', 404);
    // With the stop signal, Docker also continues a paused container.
    await this.#engine.killContainer(container, info.Config.StopSignal || DEFAULT_SIGNAL);
  }

  /**
   * Repeats a call until it succeeds.
   * @returns false if the container has ended
   */
  async #repeat(container: string, over: AbortSignal, call: () => Promise<void>): Promise<boolean> {
    for (let wait = FIRST_WAIT_MS; ; wait = longerWait(wait)) {
      try {
        await call();
        return !over.aborted;
      } catch (error) {
        if (over.aborted) return false;
        const isRefusal = error instanceof DockerError;
        if (!isRefusal && !(error instanceof DockerUnavailableError)) throw error;
        // 409: it is not running.
        if (isRefusal && (error.status === 404 || error.status === 409)) return false;
        this.#log({ level: 'warning', msg: 'cannot signal the container', container, reason: error.message });
        await sleep(wait, undefined, { signal: over }).catch(() => {});
      }
    }
  }
}
