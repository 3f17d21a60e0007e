/**
 * The index of the times of one stream of a task's output: `stdout.times`, see ../exec/time-index.ts. Entries are written
 * before the output that they describe, so that no output without an entry can be in a file, whenever the worker is killed.
 */

import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import {
  decodeEntries,
  ENTRY_BYTES,
  encodeEntry,
  filesBetween,
  indexName,
  inodeDigits,
  newEntries,
  nextFile,
  type TimedBytes,
  type TimeEntry,
} from '../exec/time-index.ts';
import type { StreamPosition } from './domain/output-position.ts';
import type { StreamName, TaskFiles } from './task-files.ts';

const APPEND = constants.O_RDWR | constants.O_APPEND;
const COPY_BYTES = 1 << 20;

/** Inode and size in bytes of the file that is written. */
export interface FileEnd {
  readonly file: number;
  readonly size: number;
}

export class OutputTimes {
  readonly #files: TaskFiles;
  readonly #name: string;
  readonly #maxFiles: number;
  readonly #position: StreamPosition;
  /** Undefined while the disk has no room for the index. */
  #fd: number | undefined;
  #last: TimeEntry | undefined;
  #undo: { readonly size: number; readonly last: TimeEntry | undefined } | undefined;

  /**
   * Continues the index of an earlier worker. A worker of a release without an index wrote output that no entry describes:
   * then the index begins again.
   */
  constructor(
    files: TaskFiles,
    stream: StreamName,
    maxFiles: number,
    position: StreamPosition,
    end: FileEnd,
  ) {
    this.#files = files;
    this.#name = indexName(stream);
    this.#maxFiles = maxFiles;
    this.#position = position;
    try {
      this.#open(end);
    } catch {
      // A full disk. `add` tries again, and has no output written without an entry.
    }
  }

  /** Writes the entries for pieces that are to be appended to the file. @throws if the disk is full */
  add(pieces: readonly TimedBytes[], end: FileEnd): void {
    this.#undo = undefined;
    const fd = this.#open(end);
    const last = this.#last;
    const inode = inodeDigits(end.file);
    const isSame = last?.inode === inode;
    const file = last === undefined ? 0 : isSame ? last.file : nextFile(last.file);
    const entries = newEntries(pieces, last, { file, inode, offset: end.size });
    const [newest] = entries;
    if (newest === undefined) return;
    // The executor's own lines are in front of the container's output.
    if (last === undefined && isFresh(this.#position)) entries[0] = { ...newest, offset: 0 };
    const kept = last === undefined || isSame ? fd : this.#withoutOld(fd, newest);
    this.#undo = { size: fstatSync(kept).size, last };
    write(kept, entries);
    this.#last = entries.at(-1);
  }

  /** Takes back what the last `add` has written. */
  undo(): void {
    if (this.#undo === undefined || this.#fd === undefined) return;
    ftruncateSync(this.#fd, this.#undo.size);
    this.#last = this.#undo.last;
    this.#undo = undefined;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }

  #open(end: FileEnd): number {
    if (this.#fd !== undefined) return this.#fd;
    const { time, indexed, file, size } = this.#position;
    const fd = this.#files.open(this.#name, APPEND);
    try {
      if (indexed || isFresh(this.#position)) this.#last = lastEntry(fd, end);
      else {
        ftruncateSync(fd, 0);
        // All output in front of the position was written until its time.
        const at = { file: 0, inode: inodeDigits(file), offset: size };
        const entries = file === end.file ? newEntries([{ time, bytes: NOTHING }], undefined, at) : [];
        write(fd, entries);
        this.#last = entries.at(-1);
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    this.#fd = fd;
    return fd;
  }

  /**
   * Removes the entries of files that the rotation has removed. Without room for the copy, they stay.
   * @returns the descriptor of the index
   */
  #withoutOld(fd: number, newest: TimeEntry): number {
    const isOld = (i: number) => {
      const entry = entryAt(fd, i);
      return entry === undefined || filesBetween(entry, newest) >= this.#maxFiles;
    };
    if (!isOld(0)) return fd;
    let [old, kept] = [0, fstatSync(fd).size / ENTRY_BYTES];
    while (kept - old > 1) {
      const middle = Math.floor((old + kept) / 2);
      if (isOld(middle)) old = middle;
      else kept = middle;
    }
    const copy = this.#copyFrom(fd, kept * ENTRY_BYTES);
    if (copy === undefined) return fd;
    closeSync(fd);
    this.#fd = copy;
    return copy;
  }

  /** Replaces the index by the part from an offset on. @returns undefined if there is no room for it */
  #copyFrom(fd: number, offset: number): number | undefined {
    const name = `.${this.#name}.new`;
    let copy: number | undefined;
    try {
      copy = this.#files.open(name, APPEND | constants.O_TRUNC);
      const bytes = Buffer.alloc(COPY_BYTES);
      for (let at = offset; ; ) {
        const length = readSync(fd, bytes, 0, bytes.length, at);
        if (length === 0) break;
        writeAll(copy, bytes.subarray(0, length));
        at += length;
      }
      this.#files.inDirectory((directory) =>
        renameSync(`${directory}/${name}`, `${directory}/${this.#name}`),
      );
      return copy;
    } catch {
      if (copy !== undefined) closeSync(copy);
      this.#files.inDirectory((directory) => rmSync(`${directory}/${name}`, { force: true }));
      return undefined;
    }
  }
}

const NOTHING = Buffer.alloc(0);

/** True if the container had written nothing when the worker started. */
function isFresh({ time }: StreamPosition): boolean {
  return time === '';
}

/**
 * Finds the last entry, and removes what a killed worker has left behind it: a part of an entry, and entries of output that
 * it has not written.
 */
function lastEntry(fd: number, end: FileEnd): TimeEntry | undefined {
  let count = Math.floor(fstatSync(fd).size / ENTRY_BYTES);
  let last: TimeEntry | undefined;
  for (; count > 0; count -= 1) {
    last = entryAt(fd, count - 1);
    // Zeros, after the host was switched off.
    if (last === undefined) count = 1;
    else if (last.inode !== inodeDigits(end.file) || last.offset <= end.size) break;
  }
  ftruncateSync(fd, count * ENTRY_BYTES);
  return count === 0 ? undefined : last;
}

/** @returns undefined if it is not an entry */
function entryAt(fd: number, i: number): TimeEntry | undefined {
  const bytes = Buffer.alloc(ENTRY_BYTES);
  readSync(fd, bytes, 0, ENTRY_BYTES, i * ENTRY_BYTES);
  return decodeEntries(bytes)?.[0];
}

/** Appends all of the entries, or none. */
function write(fd: number, entries: readonly TimeEntry[]): void {
  const { size } = fstatSync(fd);
  try {
    writeAll(fd, Buffer.from(entries.map(encodeEntry).join('')));
  } catch (error) {
    ftruncateSync(fd, size);
    throw error;
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
