/**
 * One stream of a task's output: `stdout`, and the older `stdout.1`, `stdout.2`, … (or the same of stderr). A file that
 * can't be written, because the disk is full, costs the output and not the task.
 */

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  renameSync,
  rmSync,
  writev,
} from 'node:fs';
import { promisify } from 'node:util';
import type { TimedBytes } from '../exec/time-index.ts';
import type { StreamPosition } from './domain/output-position.ts';
import type { OutputLimits } from './domain/sandbox-policy.ts';
import { type FileEnd, OutputTimes } from './output-times.ts';
import type { StreamName, TaskFiles } from './task-files.ts';

const APPEND = constants.O_WRONLY | constants.O_APPEND;
const write = promisify(writev);

export class OutputFile {
  readonly #files: TaskFiles;
  readonly #name: StreamName;
  readonly #limits: OutputLimits;
  #fd: number;
  /** Undefined until `keepTimes`. */
  #times: OutputTimes | undefined;
  /** The last error of a write; undefined after a success. */
  #error: Error | undefined;

  constructor(files: TaskFiles, name: StreamName, limits: OutputLimits) {
    this.#files = files;
    this.#name = name;
    this.#limits = limits;
    this.#fd = files.open(name, APPEND);
  }

  /** Inode and size in bytes. */
  get end(): FileEnd {
    const { ino, size } = fstatSync(this.#fd);
    return { file: ino, size };
  }

  get error(): Error | undefined {
    return this.#error;
  }

  /** Returns the bytes that were written since `size` was the size of `file`; 0 if that file is gone. */
  bytesSince({ file, size }: FileEnd): number {
    const current = this.end;
    if (current.file === file) return Math.max(0, current.size - size);
    const fd = this.#files.openExisting(`${this.#name}.1`);
    if (fd === undefined) return 0;
    try {
      const previous = fstatSync(fd);
      return previous.ino === file ? Math.max(0, previous.size - size) + current.size : 0;
    } finally {
      closeSync(fd);
    }
  }

  /** Begins or continues the index of times. @param position where the output of an earlier worker ended */
  keepTimes(position: StreamPosition): void {
    this.#times = new OutputTimes(this.#files, this.#name, this.#limits.maxFiles, position, this.end);
  }

  /** Appends all of the pieces, or none. @returns false if they can't be written: see `error` */
  async append(pieces: readonly TimedBytes[]): Promise<boolean> {
    let size: number | undefined;
    try {
      if (this.end.size >= this.#limits.maxSize) this.#rotate();
      const { end } = this;
      size = end.size;
      this.#times?.add(pieces, end);
      await this.#write(pieces.map(({ bytes }) => bytes));
      this.#error = undefined;
      return true;
    } catch (error) {
      this.#error = error as Error;
      if (size !== undefined) ftruncateSync(this.#fd, size);
      this.#times?.undo();
      return false;
    }
  }

  close(): void {
    this.#times?.close();
    closeSync(this.#fd);
  }

  async #write(pieces: readonly Uint8Array[]): Promise<void> {
    let rest = pieces;
    while (rest.length > 0) {
      // Linux accepts 1024 pieces in one call.
      const some = rest.slice(0, 1024);
      const { bytesWritten } = await write(this.#fd, some);
      rest = [...after(some, bytesWritten), ...rest.slice(1024)];
    }
  }

  /** The new file is made first: without room for it, the old one grows. */
  #rotate(): void {
    const name = this.#name;
    let next: number;
    try {
      next = this.#files.open(`.${name}.new`, APPEND | constants.O_TRUNC);
    } catch {
      return;
    }
    try {
      this.#files.inDirectory((directory) => {
        const last = this.#limits.maxFiles - 1;
        // A rotation that was interrupted has left a name free. It goes on there, so that the numbers have no gap.
        const free = firstFree(directory, name, last);
        // Also files of a limit that was larger.
        for (let i = free === last ? last : last + 1; existsSync(`${directory}/${name}.${i}`); i += 1)
          rmSync(`${directory}/${name}.${i}`);
        for (let i = free - 1; i >= 1; i -= 1)
          rename(`${directory}/${name}.${i}`, `${directory}/${name}.${i + 1}`);
        rename(`${directory}/${name}`, `${directory}/${name}.1`);
        renameSync(`${directory}/.${name}.new`, `${directory}/${name}`);
      });
    } catch {
      // A rename needs room, too.
      closeSync(next);
      return;
    }
    closeSync(this.#fd);
    this.#fd = next;
  }
}

function after(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  return pieces.flatMap((piece) => {
    const skip = Math.min(left, piece.length);
    left -= skip;
    return skip === piece.length ? [] : [piece.subarray(skip)];
  });
}

/** @returns the first number that no file has; `most` if all have one */
function firstFree(directory: string, name: string, most: number): number {
  let free = 1;
  while (free < most && existsSync(`${directory}/${name}.${free}`)) free += 1;
  return free;
}

function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
