/** A task's output files in the sandbox, and the container's output that goes into them. */

import { appendFileSync, mkdirSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DockerError } from '../docker/connection.ts';
import type { DockerEngine } from '../docker/engine.ts';
import type { OutputChunk } from '../docker/log-frames.ts';
import type { OutputStart } from './domain/executor-state.ts';
import { taskFileName } from './domain/task-directory.ts';
import type { Log } from './log.ts';

/** How long the output may lag behind the container's end before it is read anew. */
const LAG_MS = 2000;
const RETRY_MS = 500;

/** `stdout` and `stderr` of one task. */
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

  /** A line of the executor's own in the task's stderr. */
  note(text: string): void {
    appendFileSync(this.path('stderr'), `${text}\n`);
  }
}

export interface FollowOptions {
  engine: DockerEngine;
  container: string;
  tty: boolean;
  files: TaskFiles;
  /** Where in the files the container's output begins; what is behind that is not written again. */
  start: OutputStart;
  log: Log;
}

/** Copies a container's output into the task's files as it comes, through restarts of the engine. */
export class OutputFollower {
  readonly #options: FollowOptions;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#done = this.#follow();
  }

  /** Call when the container has ended; resolves when all of its output is in the files. */
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
    await this.#copy(false).catch((error: unknown) => this.#complain(error));
  }

  /** Stops at once, whatever is missing. */
  close(): void {
    this.#abort.abort();
  }

  async #follow(): Promise<void> {
    const { engine, container, log } = this.#options;
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#copy(true);
        // The stream also ends when the engine goes away in good order while the container lives on.
        if ((await engine.inspectContainer(container))?.State.Running !== true) return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof DockerError) {
          this.#complain(error);
          return;
        }
        // The engine is away or the disk is full: what is missing is known by the files' sizes.
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

  #complain(error: unknown): void {
    const { container, files, log } = this.#options;
    const reason = error instanceof Error ? error.message : String(error);
    log({ level: 'error', msg: 'output is lost', container, reason });
    try {
      files.note(`mesosup: the container's output can't be read: ${reason}`);
    } catch {
      // The log has it.
    }
  }
}
