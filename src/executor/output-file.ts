/**
 * One stream of a task's output: `stdout`, and the older `stdout.1`, `stdout.2`, … (or the same of stderr). A file that
 * can't be written, because the disk is full, costs the output and not the task.
 */

import { closeSync, constants, fstatSync, ftruncateSync, renameSync, rmSync, writev } from 'node:fs';
import { promisify } from 'node:util';
import type { OutputLimits } from './domain/sandbox-policy.ts';
import type { StreamName, TaskFiles } from './task-files.ts';

const APPEND = constants.O_WRONLY | constants.O_APPEND;
const write = promisify(writev);

export class OutputFile {
  readonly #files: TaskFiles;
  readonly #name: StreamName;
  readonly #limits: OutputLimits;
  #fd: number;
  /** The last error of a write; undefined after a success. */
  #error: Error | undefined;

  constructor(files: TaskFiles, name: StreamName, limits: OutputLimits) {
    this.#files = files;
    this.#name = name;
    this.#limits = limits;
    this.#fd = files.open(name, APPEND);
  }

  /** Inode and size in bytes. */
  get end(): { file: number; size: number } {
    const { ino, size } = fstatSync(this.#fd);
    return { file: ino, size };
  }

  get error(): Error | undefined {
    return this.#error;
  }

  /** Returns the bytes that were written since `size` was the size of `file`; 0 if that file is gone. */
  bytesSince({ file, size }: { file: number; size: number }): number {
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

  /** Appends all of the pieces, or none. @returns false if they can't be written: see `error` */
  async append(pieces: readonly Buffer[]): Promise<boolean> {
    let size: number | undefined;
    try {
      size = this.end.size;
      if (size >= this.#limits.maxSize) {
        this.#rotate();
        size = this.end.size;
      }
      await this.#write(pieces);
      this.#error = undefined;
      return true;
    } catch (error) {
      this.#error = error as Error;
      if (size !== undefined) ftruncateSync(this.#fd, size);
      return false;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  async #write(pieces: readonly Buffer[]): Promise<void> {
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
        const { maxFiles } = this.#limits;
        rmSync(`${directory}/${name}.${maxFiles - 1}`, { force: true });
        for (let i = maxFiles - 2; i >= 1; i -= 1)
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

function after(pieces: readonly Buffer[], bytes: number): Buffer[] {
  let left = bytes;
  return pieces.flatMap((piece) => {
    const skip = Math.min(left, piece.length);
    left -= skip;
    return skip === piece.length ? [] : [piece.subarray(skip)];
  });
}

function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
