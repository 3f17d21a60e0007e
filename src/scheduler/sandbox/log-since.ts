/** Finds the output since a time, by the index that the executor keeps: see ../../exec/time-index.ts. */

import {
  decodeEntries,
  ENTRY_BYTES,
  filesBetween,
  GRAIN_MS,
  indexName,
  type TimeEntry,
} from '../../exec/time-index.ts';
import type { LogDirectory } from './log-file.ts';

/** The output has no times, or only a part of it. */
export class NoTimesError extends Error {}

/** Where a part of the output begins. */
export interface LogStart {
  /** How often the file has been rotated. */
  readonly back: number;
  readonly offset: number;
}

const NO_INDEX =
  "can't be used for this task: its output has no times. Only mesosup's Docker executor keeps them, from this release on. Use tail";

/** Entries of the index to read at once. */
const AT_ONCE = 1000;

export class TimeIndex {
  readonly #directory: LogDirectory;
  readonly #name: string;
  readonly #count: number;

  /**
   * @param name of the stream
   * @param size of the index in bytes; undefined if there is none
   * @throws NoTimesError if there is none
   */
  constructor(directory: LogDirectory, name: string, size: number | undefined) {
    if (size === undefined) throw new NoTimesError(NO_INDEX);
    this.#directory = directory;
    this.#name = indexName(name);
    this.#count = Math.floor(size / ENTRY_BYTES);
  }

  /** The number of the file that is written, which each rotation changes; undefined if the container has written nothing. */
  async currentFile(): Promise<number | undefined> {
    return (await this.#read(this.#count - 1, 1))[0]?.file;
  }

  /**
   * @param sizes of the files of the stream, the newest first
   * @param since in milliseconds since the epoch
   * @returns where the output since then begins, up to `GRAIN_MS` too early. It is wrong if the output has been rotated
   *   in the meantime
   * @throws NoTimesError
   */
  async startOf(sizes: readonly number[], since: number): Promise<LogStart> {
    const last = sizes.length - 1;
    const [oldest] = await this.#read(0, 1);
    const [newest] = await this.#read(this.#count - 1, 1);
    if (!oldest || !newest) return { back: last, offset: 0 };
    const { index, entry } = await this.#firstAfter(since - GRAIN_MS);
    if (!entry) return { back: 0, offset: sizes[0] ?? 0 };
    // A new file is empty until its first entry is written. If it still is empty then, the result is one file too early.
    const isNewer = sizes[0] === 0 && last > 0;
    const back = filesBetween(entry, newest) + (isNewer ? 1 : 0);
    // The output in front of the first entry was written until its time.
    const isComplete = back > last || (back === last && entry.offset === 0);
    if (index === 0 && !isComplete && since <= oldest.time) {
      const from = new Date(oldest.time).toISOString();
      throw new NoTimesError(
        `can't be before ${from} for this task: an executor of an older release wrote the output until then, without times. Use a later time, or tail`,
      );
    }
    return back > last
      ? { back: last, offset: 0 }
      : { back, offset: Math.min(entry.offset, sizes[back] ?? 0) };
  }

  /** Finds the first entry after a time; none if all are older. */
  async #firstAfter(time: number): Promise<{ readonly index: number; readonly entry?: TimeEntry }> {
    // All entries in front of `from` are older; the first one after the time is not behind `to`.
    let [from, to] = [0, this.#count];
    while (to - from > AT_ONCE) {
      const middle = Math.floor((from + to) / 2);
      const [entry] = await this.#read(middle, 1);
      if (entry && entry.time <= time) from = middle + 1;
      else to = middle;
    }
    const entries = await this.#read(from, to - from + 1);
    const at = entries.findIndex((entry) => entry.time > time);
    const entry = entries[at];
    return entry ? { index: from + at, entry } : { index: this.#count };
  }

  /** @returns fewer entries at the end of the index */
  async #read(from: number, count: number): Promise<TimeEntry[]> {
    const most = Math.min(count, this.#count - from);
    if (from < 0 || most <= 0) return [];
    const bytes = await this.#directory.read(this.#name, from * ENTRY_BYTES, most * ENTRY_BYTES);
    const whole = bytes?.subarray(0, bytes.length - (bytes.length % ENTRY_BYTES)) ?? Buffer.alloc(0);
    const entries = decodeEntries(whole);
    if (!entries) throw new NoTimesError(NO_INDEX);
    return entries;
  }
}
