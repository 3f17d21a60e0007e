/**
 * The files of one task in the executor's sandbox:
 *
 *   tasks/<name of the task>/stdout, stderr, stdout.1, …   the container's output, which no container can reach
 *   tasks/<name of the task>/sandbox/                      mounted in the container at /mnt/mesos/sandbox
 *
 * In the 2013 form, the output is in the executor's own `stdout` and `stderr`. No link is followed.
 */

import { closeSync, constants, fstatSync, readSync, utimesSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { OutputChunk } from '../docker/log-frames.ts';
import type { OutputStart } from './domain/executor-state.ts';
import { taskFileName } from './domain/task-directory.ts';
import { inDirectory, makeBelow, openBelow } from './open-below.ts';

export type StreamName = OutputChunk['stream'];

export class TaskFiles {
  /** The executor's sandbox. */
  readonly root: string;
  /** The names of the directories below it that lead to the output. */
  readonly #names: readonly string[];
  /** As `#names`, for the directory with the task's `sandbox`. */
  readonly taskNames: readonly string[];

  /** @param single the 2013 form */
  constructor(root: string, taskId: string, single: boolean) {
    this.root = root;
    this.taskNames = ['tasks', taskFileName(taskId)];
    this.#names = single ? [] : this.taskNames;
    makeBelow(root, this.#names);
    for (const stream of ['stdout', 'stderr'] as const) closeSync(this.open(stream, constants.O_WRONLY));
  }

  /** The path of the directory that is mounted in the container. */
  get sandbox(): string {
    return path.join(this.root, ...this.taskNames, 'sandbox');
  }

  /** Opens a file of the output; creates it if it is missing. @param name for example `stdout` or `stdout.1` */
  open(name: string, flags: number): number {
    return openBelow(this.root, [...this.#names, name], flags | constants.O_CREAT);
  }

  /** Opens a file of the output for reading; undefined if it is missing. */
  openExisting(name: string): number | undefined {
    try {
      return openBelow(this.root, [...this.#names, name], constants.O_RDONLY);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Calls `use` with the directory of the output: see `inDirectory`. */
  inDirectory<T>(use: (directory: string) => T): T {
    return inDirectory(this.root, this.#names, use);
  }

  /** Sizes of the output in bytes. */
  sizes(): OutputStart {
    return { stdout: this.#size('stdout'), stderr: this.#size('stderr') };
  }

  /** Adds a line of the executor to the task's stderr. */
  note(text: string): void {
    const fd = this.open('stderr', constants.O_WRONLY | constants.O_APPEND);
    try {
      writeSync(fd, `${text}\n`);
    } finally {
      closeSync(fd);
    }
  }

  /**
   * Reads the end of the container's output.
   * @param from the offset at which the container's output begins in the first file
   * @returns up to `most` bytes; `complete` if they are all of the container's output
   */
  tail(stream: StreamName, from: number, most: number): { bytes: Buffer; complete: boolean } {
    const older = this.openExisting(`${stream}.1`);
    if (older !== undefined) closeSync(older);
    const begin = older === undefined ? from : 0;
    const fd = this.open(stream, constants.O_RDONLY);
    try {
      const { size } = fstatSync(fd);
      const start = Math.max(begin, size - most);
      const bytes = Buffer.alloc(Math.max(0, size - start));
      const read = readSync(fd, bytes, 0, bytes.length, start);
      return { bytes: bytes.subarray(0, read), complete: start === begin && older === undefined };
    } finally {
      closeSync(fd);
    }
  }

  /** Marks the end of the task, for the time at which its files are removed. */
  ended(): void {
    const now = new Date();
    makeBelow(this.root, this.taskNames);
    inDirectory(this.root, this.taskNames, (directory) => utimesSync(directory, now, now));
  }

  #size(stream: StreamName): number {
    const fd = this.open(stream, constants.O_RDONLY);
    try {
      return fstatSync(fd).size;
    } finally {
      closeSync(fd);
    }
  }
}
