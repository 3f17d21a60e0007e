/** Copies the output of containers into the tasks' files in the sandbox. */

import { setTimeout as sleep } from 'node:timers/promises';
import { DockerError } from '../docker/connection.ts';
import type { DockerEngine } from '../docker/engine.ts';
import type { OutputStart } from './domain/executor-state.ts';
import { latestTime, resumeTime } from './domain/output-position.ts';
import type { OutputLimits } from './domain/sandbox-policy.ts';
import { SkipDetector } from './domain/skipped-output.ts';
import type { Log } from './log.ts';
import { OutputWriter } from './output-writer.ts';
import type { TaskFiles } from './task-files.ts';

/** Time that the output may lag behind the container's end before it is read again. */
const LAG_MS = 2000;
/** Wait after a failed attempt, which doubles with each further one, in milliseconds. */
const RETRY_MS = { first: 500, longest: 8000 };
/** Docker's words for a log driver that only writes. */
const UNREADABLE = /does not support reading/;

export interface FollowOptions {
  engine: DockerEngine;
  container: string;
  tty: boolean;
  /** Size at which Docker begins a new file of its log, in bytes. */
  fileBytes: number;
  files: TaskFiles;
  taskId: string;
  /** Offset of the container's output in the files. Output that the files already contain is not written again. */
  start: OutputStart;
  limits: OutputLimits;
  log: Log;
}

/** The output must be requested again from the last record on. */
class SkippedError extends Error {}

/** Copies a container's output into the task's files as it arrives. Survives restarts of Docker. */
export class OutputFollower {
  readonly #options: FollowOptions;
  readonly #writer: OutputWriter;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  /** Attempts that failed since records came. */
  #failures = 0;

  constructor(options: FollowOptions) {
    this.#options = options;
    const { files, taskId, start, limits } = options;
    this.#writer = new OutputWriter(files, taskId, start, limits);
    this.#done = this.#follow();
  }

  /** To be called when the container has ended. Resolves when all of its output is in the files. */
  async drained(): Promise<void> {
    const late = Symbol('late');
    const lag = new AbortController();
    const first = await Promise.race([
      this.#done,
      sleep(LAG_MS, late, { signal: lag.signal }).catch(() => late),
    ]);
    lag.abort();
    this.#abort.abort();
    await this.#done;
    // What Docker's stream lacked: it may end early, and skips files that Docker replaces while it is read slowly.
    await this.#copy(false).catch(async (error: unknown) => {
      if (first === late) await this.#reportLostOutput(error);
    });
    this.#writer.close();
  }

  /** Stops immediately, even if output is missing. */
  close(): void {
    this.#abort.abort();
  }

  async #follow(): Promise<void> {
    const { container, log } = this.#options;
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#copy(true);
        // The stream also ends when Docker shuts down cleanly while the container still runs.
        if (!(await this.#isRunning())) return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof DockerError && (UNREADABLE.test(error.message) || !(await this.#mayRun()))) {
          await this.#reportLostOutput(error);
          return;
        }
        if (error instanceof SkippedError) {
          log({ msg: 'requesting the output again: Docker may have skipped records', container });
          continue;
        }
        // Docker is unreachable or has a problem, or the disk is full. The next attempt continues at the files' sizes.
        log({ level: 'warning', msg: 'output is delayed', container, reason: String(error) });
        const wait = Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** this.#failures);
        this.#failures += 1;
        await sleep(wait, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #isRunning(): Promise<boolean> {
    const { engine, container } = this.#options;
    return (await engine.inspectContainer(container))?.State.Running === true;
  }

  /** True also if Docker does not say so. */
  async #mayRun(): Promise<boolean> {
    return await this.#isRunning().catch(() => true);
  }

  async #copy(follow: boolean): Promise<void> {
    const { engine, container, fileBytes, tty } = this.#options;
    const { position } = this.#writer;
    const since = resumeTime(position);
    const filters = this.#writer.filters(since);
    const skips = new SkipDetector(fileBytes, latestTime(position));
    const signal = follow ? { signal: this.#abort.signal } : {};
    for await (const records of engine.logs(container, { tty, follow, since, ...signal })) {
      this.#failures = 0;
      const now = Date.now();
      const at = follow ? records.findIndex((r) => skips.isSuspect(r.time, r.bytes.length, now)) : -1;
      await this.#writer.write(at < 0 ? records : records.slice(0, at), filters);
      if (at >= 0) throw new SkippedError('Docker may have skipped records');
    }
  }

  async #reportLostOutput(error: unknown): Promise<void> {
    const { container, log } = this.#options;
    const reason = error instanceof Error ? error.message : String(error);
    log({ level: 'error', msg: 'cannot read the output of a container', container, reason });
    await this.#writer.remark(`mesosup: the container's output can't be read: ${reason}`);
  }
}
