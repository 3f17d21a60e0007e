/**
 * The index of the times of a task's output. The executor keeps it beside the output, as `stdout.times` and
 * `stderr.times`, and the scheduler reads it to find the output since a time. Entries have a fixed length, so that the
 * scheduler needs only a few of them: time, number and inode of the file, and offset. Pure.
 *
 *   1764475200000 0002 004711 0000010485760
 *
 * The rule on which both rely: what is in front of an entry was written before its time, or at it; what is behind it, up to
 * the next entry, was written less than GRAIN_MS after it. So the times of entries never decrease. While a clock that was
 * set back has not reached the last entry's time again, there is no new one.
 */

export interface TimeEntry {
  /** Of the clock of the agent's host, in milliseconds since the epoch. */
  readonly time: number;
  /** Number of the file that was the current one: each rotation begins the next number, modulo FILES. */
  readonly file: number;
  /** The last digits of the inode of that file. */
  readonly inode: number;
  /** Bytes in that file in front of the output that the entry describes. */
  readonly offset: number;
}

/** A part of the output, and its time: UTC with at least milliseconds, such as `2026-11-29T20:15:00.016717124Z`. */
export interface TimedBytes {
  readonly time: string;
  readonly bytes: Uint8Array;
}

export const ENTRY_BYTES = 40;
export const GRAIN_MS = 1000;
const FILES = 10_000;
const INODES = 1_000_000;
const ENTRY = /^(\d{13}) (\d{4}) (\d{6}) (\d{13})\n$/;

/** @param name of the stream */
export function indexName(name: string): string {
  return `${name}.times`;
}

/** @returns the digits of an inode that entries have */
export function inodeDigits(inode: number): number {
  return inode % INODES;
}

export function nextFile(file: number): number {
  return (file + 1) % FILES;
}

/** @returns how many rotations after `older` the file `newer` was begun */
export function filesBetween(older: TimeEntry, newer: TimeEntry): number {
  return (newer.file - older.file + FILES) % FILES;
}

export function encodeEntry({ time, file, inode, offset }: TimeEntry): string {
  const digits = (value: number, length: number) => String(value).padStart(length, '0');
  return `${digits(time, 13)} ${digits(file, 4)} ${digits(inode, 6)} ${digits(offset, 13)}\n`;
}

/** @returns undefined if the bytes are not whole entries */
export function decodeEntries(bytes: Buffer): TimeEntry[] | undefined {
  const entries: TimeEntry[] = [];
  for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
    const match = ENTRY.exec(bytes.toString('latin1', at, at + ENTRY_BYTES));
    if (!match) return undefined;
    const [time = 0, file = 0, inode = 0, offset = 0] = match.slice(1).map(Number);
    entries.push({ time, file, inode, offset });
  }
  return entries;
}

/**
 * Returns the entries to write before the pieces are appended to a file.
 * @param last the last entry of the index
 * @param at the present end of the file: `offset` is its size
 */
export function newEntries(
  pieces: Iterable<TimedBytes>,
  last: TimeEntry | undefined,
  at: Omit<TimeEntry, 'time'>,
): TimeEntry[] {
  const entries: TimeEntry[] = [];
  let { offset } = at;
  let newest = last?.time ?? 0;
  let next = last?.file === at.file ? isoPrefix(newest + GRAIN_MS) : '';
  for (const { time, bytes } of pieces) {
    // Texts are compared, since to parse the time of each record would cost more than all the rest.
    if (time >= next) {
      newest = Math.max(newest, Date.parse(`${time.slice(0, 23)}Z`));
      entries.push({ ...at, time: newest, offset });
      next = isoPrefix(newest + GRAIN_MS);
    }
    offset += bytes.length;
  }
  return entries;
}

function isoPrefix(time: number): string {
  return new Date(time).toISOString().slice(0, 23);
}
