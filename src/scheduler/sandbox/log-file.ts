/**
 * Reads one stream of a task's output, across rotations: `stdout` is renamed to `stdout.1`, `stdout.1` to `stdout.2`,
 * and so on. The agent does not tell which file a name means, so the reader compares the bytes before its position.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { anchorLength, isBefore, type Position, positionAt } from './log-position.ts';

/** The files of a directory. */
export interface LogDirectory {
  /** @returns some bytes, none at the end of the file; undefined if there is no such file */
  read(name: string, offset: number, length: number): Promise<Buffer | undefined>;
  list(): Promise<readonly { readonly name: string; readonly size: number }[]>;
}

/** Fits into one read of the agent's files API together with the anchor. */
export const CHUNK_BYTES = 60 * 1024;

/** Between two names of a rotated file there may be a moment without the file. */
const ATTEMPTS = 5;
const PAUSE_MS = 20;

const NOTHING = Buffer.alloc(0);

export class LogFile {
  readonly #directory: LogDirectory;
  readonly #name: string;
  #position: Position;
  /** The bytes before the position, if they are known. */
  #before: Buffer = NOTHING;
  /** How often the file at the position has been rotated, as far as known; the oldest file at offset 0. */
  #back = 0;
  #peeked: Buffer = NOTHING;
  /** The file whose beginning was peeked. Until a part of it is consumed, the position stays at the end of the file before. */
  #peekedBack: number | undefined;
  #lost = false;

  /**
   * @param position offset 0 means the beginning of the oldest file: the beginning of a later one is the end of the file
   *   before it
   * @param back how often the file at the position was rotated, as far as known
   */
  constructor(directory: LogDirectory, name: string, position: Position, back = 0) {
    this.#directory = directory;
    this.#name = name;
    this.#position = position;
    this.#back = back;
  }

  get position(): Position {
    return this.#position;
  }

  /** True once after a part of the output was removed before it could be read. */
  takeLoss(): boolean {
    const lost = this.#lost;
    this.#lost = false;
    return lost;
  }

  /** @returns the bytes after the position; none if there are none yet */
  async peek(): Promise<Buffer> {
    for (let attempt = 1; ; attempt += 1) {
      this.#peekedBack = undefined;
      const found = await this.#find();
      if (found) {
        this.#peeked = found;
        return found;
      }
      if (attempt === ATTEMPTS) {
        this.#lost = true;
        this.#moveTo(oldest(await this.#directory.list(), this.#name));
      } else await sleep(PAUSE_MS);
    }
  }

  /** Moves the position after the first bytes of those that were peeked. */
  consume(length: number): void {
    if (length === 0) return;
    if (this.#peekedBack !== undefined) this.#moveTo(this.#peekedBack);
    this.#peekedBack = undefined;
    const taken = this.#peeked.subarray(0, length);
    this.#peeked = this.#peeked.subarray(length);
    const offset = this.#position.offset + taken.length;
    this.#before = Buffer.concat([this.#before, taken]).subarray(-anchorLength(offset));
    this.#position = positionAt(offset, this.#before);
  }

  /** @returns undefined if the file at the position was not found */
  async #find(): Promise<Buffer | undefined> {
    if (this.#position.offset === 0) return this.#findAtBeginning();
    // First where it was the last time: usually it is still there.
    const first = await this.#readOn(this.#back);
    if (first && first !== 'another' && (first.length > 0 || this.#back === 0)) return first;
    for (let back = 0; ; back += 1) {
      const more = await this.#readOn(back);
      if (more === undefined && back > 0) return undefined;
      if (more === undefined || more === 'another') continue;
      this.#back = back;
      if (more.length > 0 || back === 0) return more;
      return this.#findNext(back);
    }
  }

  /** Goes on with the next file after the end of a rotated one. */
  async #findNext(back: number): Promise<Buffer | undefined> {
    const next = await this.#read(back - 1, 0, CHUNK_BYTES);
    // Rotated again in the meantime: the name may already mean the file after the next one.
    if ((await this.#readOn(back)) === 'another') return undefined;
    // Stays at the end of the old file as long as the new one is empty.
    if (next === undefined || next.length === 0) return NOTHING;
    this.#peekedBack = back - 1;
    return next;
  }

  /** Reads the oldest file that has content, also if it was rotated since the last time. */
  async #findAtBeginning(): Promise<Buffer> {
    for (;;) {
      let back = this.#back;
      let bytes = await this.#read(back, 0, CHUNK_BYTES);
      while (back > 0 && !bytes?.length) {
        back -= 1;
        bytes = await this.#read(back, 0, CHUNK_BYTES);
      }
      const older = await this.#read(this.#back + 1, 0, 1);
      if (older === undefined) {
        this.#peekedBack = back;
        return bytes ?? NOTHING;
      }
      this.#back += 1;
    }
  }

  #read(back: number, offset: number, length: number): Promise<Buffer | undefined> {
    return this.#directory.read(nameOf(this.#name, back), offset, length);
  }

  #moveTo(back: number): void {
    this.#back = back;
    this.#before = NOTHING;
    this.#position = positionAt(0, NOTHING);
  }

  /** @returns the bytes after the position, if the file contains it */
  async #readOn(back: number): Promise<Buffer | 'another' | undefined> {
    const { offset } = this.#position;
    const length = anchorLength(offset);
    const bytes = await this.#read(back, offset - length, length + CHUNK_BYTES);
    if (!bytes) return undefined;
    const before = bytes.subarray(0, length);
    if (!isBefore(before, this.#position)) return 'another';
    this.#before = before;
    return bytes.subarray(length);
  }
}

/** @param back how often the file was rotated */
export function nameOf(name: string, back: number): string {
  return back === 0 ? name : `${name}.${back}`;
}

/** @returns how often the oldest of the files was rotated */
export function oldest(entries: readonly { readonly name: string }[], name: string): number {
  const names = new Set(entries.map((entry) => entry.name));
  let back = 0;
  while (names.has(nameOf(name, back + 1))) back += 1;
  return back;
}
