/**
 * Positions in the output of a container, so that no record is lost or written twice after a restart of the worker or of
 * Docker. A position is stored after the records that it counts, in a step of its own: what is in the file beyond its
 * `size` are the bytes of the next records, which are skipped then. Pure.
 *
 * The records of one stream come in the order of their times, and many may have the same time. Records of both streams
 * may be out of order by the time that Docker needs to write one. A clock that is set back can make records come twice
 * after a restart.
 */

import { isJson, parseJson } from '../../json.ts';

export interface StreamPosition {
  /** Time of the last record that is completely in the file (see docker/log-records.ts); empty if there is none. */
  time: string;
  /** How many records with this time are in the file. */
  count: number;
  /** Inode of the file. */
  file: number;
  /** Size of the file after that record, in bytes. */
  size: number;
  /** Bytes in front of the position that could not be written, and that no line in the file mentions yet. */
  lost?: number;
  /** True if all output since the first position is in the index of times (see output-times.ts). */
  indexed?: boolean;
}

export interface OutputPosition {
  stdout: StreamPosition;
  stderr: StreamPosition;
}

/** Bytes of a stored position: a fixed length, so that each replaces the one before in a single write. */
export const POSITION_BYTES = 512;

/**
 * How far the records of one stream may be behind those of the other, in milliseconds. Docker writes a record at once
 * after it has taken the time; only the write of one record of the other stream may come between.
 */
const STREAM_LAG_MS = 1000;

export function positionText(position: OutputPosition): string {
  return `${JSON.stringify(position).padEnd(POSITION_BYTES - 1)}\n`;
}

/** @returns undefined if the text is no position */
export function parsePosition(text: string): OutputPosition | undefined {
  const value = parseJson(text);
  return isJson(value) && isStreamPosition(value.stdout) && isStreamPosition(value.stderr)
    ? { stdout: value.stdout, stderr: value.stderr }
    : undefined;
}

function isStreamPosition(value: unknown): value is StreamPosition {
  if (!isJson(value) || typeof value.time !== 'string') return false;
  return [value.count, value.file, value.size, value.lost ?? 0].every(
    (n) => Number.isSafeInteger(n) && Number(n) >= 0,
  );
}

/**
 * Returns the time from which Docker must send records; undefined for all of them. A stream without recent records does
 * not make Docker send the records of hours again.
 */
export function resumeTime({ stdout, stderr }: OutputPosition): string | undefined {
  const [earlier = '', later = ''] = [stdout.time, stderr.time].sort();
  if (later === '') return undefined;
  const oldest = new Date(Date.parse(`${later.slice(0, 19)}Z`) - STREAM_LAG_MS).toISOString();
  const lagging = `${oldest.slice(0, 19)}.${later.slice(20)}`;
  return earlier > lagging ? earlier : lagging;
}

/** Returns the time of the last record of both streams; empty if there is none. */
export function latestTime({ stdout, stderr }: OutputPosition): string {
  const [, latest = ''] = [stdout.time, stderr.time].sort();
  return latest;
}

/** What to do with a record that Docker has sent. */
export interface Taken {
  /** Bytes at the beginning of the record that are in the file; its length or more if all of it is. */
  skip: number;
  /** True if Docker no longer has records that are not in the file. They come before this record. */
  isAfterGap: boolean;
}

/** Finds the new records of one stream in what Docker sends from `resumeTime` on. */
export class RecordFilter {
  #time: string;
  #count: number;
  /** The last record before the restart, until a later one comes. */
  readonly #last: Readonly<{ time: string; count: number }>;
  #seen = 0;
  #passed: boolean;
  /** Bytes of the next records that are in the file. */
  #written: number;

  /**
   * @param written bytes in the file beyond the position's size
   * @param since the `resumeTime` with which Docker was asked. A stream that was quiet for long before has none of its
   *   records sent again
   */
  constructor(position: StreamPosition, written: number, since: string | undefined) {
    this.#time = position.time;
    this.#count = position.count;
    this.#last = { time: position.time, count: position.count };
    this.#passed = position.time === '' || (since !== undefined && since > position.time);
    this.#written = Math.max(0, written);
  }

  /** Time and number of the last record that was taken: the fields of the next position. */
  get last(): { time: string; count: number } {
    return { time: this.#time, count: this.#count };
  }

  /** True if the end of the file is the end of the last record, so that a position can be stored. */
  get isAtEnd(): boolean {
    return this.#written === 0;
  }

  take(time: string, length: number): Taken {
    if (!this.#passed) {
      if (time < this.#last.time) return { skip: length, isAfterGap: false };
      if (time === this.#last.time) {
        this.#seen += 1;
        if (this.#seen <= this.#last.count) return { skip: length, isAfterGap: false };
      }
    }
    const isAfterGap = !this.#passed && this.#seen < this.#last.count;
    this.#passed = true;
    this.#count = time === this.#time ? this.#count + 1 : 1;
    this.#time = time;
    // After a gap, the written bytes belong to a record that Docker no longer has.
    if (isAfterGap) this.#written = 0;
    const skip = Math.min(this.#written, length);
    this.#written -= skip;
    return { skip, isAfterGap };
  }
}
