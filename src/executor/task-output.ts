/** Copies the output of containers into the tasks' files in the sandbox. */

import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DockerError } from '../docker/connection.ts';
import type { DockerEngine } from '../docker/engine.ts';
import type { OutputChunk } from '../docker/log-frames.ts';
import type { OutputStart } from './domain/executor-state.ts';
import { taskFileName } from './domain/task-directory.ts';
import type { Log } from './log.ts';

/** Time that the output may lag behind the container's end before it is read again. */
const LAG_MS = 2000;
const RETRY_MS = 500;

/** The files `stdout` and `stderr` of one task. */
export class TaskFiles {
  readonly #directory: string;

  /** @param single the 2013 form: the files are the sandbox's own */
  constructor(sandbox: string, taskId: string, single: boolean) {
    this.#directory = single ? sandbox : path.join(sandbox, 'tasks', taskFileName(taskId));
    mkdirSync(this.#directory, { recursive: true });
    for (const stream of ['stdout', 'stderr'] as const) appendFileSync(this.path(stream), '');
  }

  path(stream: OutputChunk['stream']): string {
    return path.join(this.#directory, stream);
  }

  /** Sizes in bytes. */
  sizes(): OutputStart {
    return { stdout: statSync(this.path('stdout')).size, stderr: statSync(this.path('stderr')).size };
  }

  /**
   * Reads the end of a file.
   * @param from the offset at which the container's output begins
   * @returns up to `most` bytes; `complete` if they are all of the container's output
   */
  tail(stream: OutputChunk['stream'], from: number, most: number): { bytes: Buffer; complete: boolean } {
    const file = openSync(this.path(stream), 'r');
    try {
      const { size } = fstatSync(file);
      const start = Math.max(from, size - most);
      const bytes = Buffer.alloc(Math.max(0, size - start));
      const read = readSync(file, bytes, 0, bytes.length, start);
      return { bytes: bytes.subarray(0, read), complete: start === from };
    } finally {
      closeSync(file);
    }
  }

  /** Adds a line of the executor to the task's stderr. */
  note(text: string): void {
    appendFileSync(this.path('stderr'), `${text}\n`);
  }
}

export interface FollowOptions {
  engine: DockerEngine;
  container: string;
  tty: boolean;
  files: TaskFiles;
  /** Offset of the container's output in the files. Output that the files already contain is not written again. */
  start: OutputStart;
  log: Log;
}

/** Copies a container's output into the task's files as it arrives. Survives restarts of Docker. */
export class OutputFollower {
  readonly #options: FollowOptions;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;

  constructor(options: FollowOptions) {
    this.#options = options;
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
    if (first !== late) return;
    this.#abort.abort();
    await this.#done;
    await this.#copy(false).catch((error: unknown) => this.#reportLostOutput(error));
  }

  /** Stops immediately, even if output is missing. */
  close(): void {
    this.#abort.abort();
  }

  async #follow(): Promise<void> {
    const { engine, container, log } = this.#options;
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#copy(true);
        // The stream also ends when Docker shuts down cleanly while the container still runs.
        if ((await engine.inspectContainer(container))?.State.Running !== true) return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof DockerError) {
          this.#reportLostOutput(error);
          return;
        }
        // Docker is unreachable or the disk is full. The next attempt continues at the files' sizes.
        log({ level: 'warning', msg: 'output is delayed', container, reason: String(error) });
        await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #copy(follow: boolean): Promise<void> {
    const { engine, container, tty, files, start } = this.#options;
    const sizes = files.sizes();
    const skip = { stdout: sizes.stdout - start.stdout, stderr: sizes.stderr - start.stderr };
    const handles: Record<OutputChunk['stream'], FileHandle> = {
      stdout: await open(files.path('stdout'), 'a'),
      stderr: await open(files.path('stderr'), 'a'),
    };
    try {
      const signal = follow ? { signal: this.#abort.signal } : {};
      for await (const { stream, bytes } of engine.logs(container, { tty, follow, ...signal })) {
        const known = Math.min(Math.max(0, skip[stream]), bytes.length);
        skip[stream] -= known;
        if (known < bytes.length) await handles[stream].appendFile(bytes.subarray(known));
      }
    } finally {
      await Promise.all([handles.stdout.close(), handles.stderr.close()]);
    }
  }

  #reportLostOutput(error: unknown): void {
    const { container, files, log } = this.#options;
    const reason = error instanceof Error ? error.message : String(error);
    log({ level: 'error', msg: 'cannot read the output of a container', container, reason });
    try {
      files.note(`mesosup: the container's output can't be read: ${reason}`);
    } catch {
      // The error is already logged.
    }
  }
}
