/**
 * The records of a container's log, as the Docker Engine API sends them with `timestamps=true`: each has the time in
 * front, `2026-11-29T20:15:00.016717124Z `. Docker cuts lines into records of at most 16 KiB (RECORD_BYTES); records of
 * one line have the same time, and only the last ends with a line feed. Without a terminal, each record is a frame (see
 * log-frames.ts); with a terminal, the records follow each other directly.
 * Source: daemon/logger/copier.go and api/server/httputils/write_log_stream.go of Docker 20.10.
 */

import { LogFrameError, type OutputChunk } from './log-frames.ts';

export interface LogRecord extends OutputChunk {
  /** UTC with nanoseconds, always 30 characters, so that the order of texts is that of times. */
  time: string;
}

const HEADER_BYTES = 8;
/** Part of a line that Docker keeps in one record. */
const RECORD_BYTES = 16 * 1024;
/** No record of Docker is longer; protects the memory from bytes that are no frames. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;
const TIME_BYTES = 30;
const LINE_FEED = 0x0a;
const SPACE = 0x20;

/** Decodes records from chunks of any size. Keeps only the beginning of an incomplete record. */
export class LogRecordDecoder {
  readonly #tty: boolean;
  #rest: Buffer = Buffer.alloc(0);

  constructor(tty: boolean) {
    this.#tty = tty;
  }

  /** @throws LogFrameError if the bytes are not records */
  push(chunk: Buffer): LogRecord[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const records: LogRecord[] = [];
    let at = 0;
    for (;;) {
      const length = this.#tty ? terminalRecord(bytes, at, false) : frame(bytes, at);
      if (length === undefined) break;
      records.push(this.#record(bytes, at, length));
      at += length;
    }
    this.#rest = bytes.subarray(at);
    return records;
  }

  /** Returns the record that ended with the log. To be called if Docker has sent the whole log. */
  end(): LogRecord[] {
    const bytes = this.#rest;
    this.#rest = Buffer.alloc(0);
    const length = this.#tty ? terminalRecord(bytes, 0, true) : undefined;
    return length === undefined ? [] : [this.#record(bytes, 0, length)];
  }

  #record(bytes: Buffer, at: number, length: number): LogRecord {
    if (this.#tty) return { stream: 'stdout', ...timed(bytes.subarray(at, at + length)) };
    // 0 is stdin, which Docker adds to stdout; 3 is an error message of Docker.
    const stream = bytes.readUInt8(at) < 2 ? 'stdout' : 'stderr';
    return { stream, ...timed(bytes.subarray(at + HEADER_BYTES, at + length)) };
  }
}

/** @returns the length of the frame at `at`; undefined if it is incomplete */
function frame(bytes: Buffer, at: number): number | undefined {
  if (bytes.length < at + HEADER_BYTES) return undefined;
  const length = bytes.readUInt32BE(at + 4);
  if (bytes.readUInt8(at) > 3 || bytes.readUIntBE(at + 1, 3) !== 0 || length > MAX_FRAME_BYTES) {
    const header = bytes.toString('hex', at, at + HEADER_BYTES);
    throw new LogFrameError(`invalid header of a frame of the container's output: ${header}`);
  }
  return bytes.length < at + HEADER_BYTES + length ? undefined : HEADER_BYTES + length;
}

/** @returns the length of the record at `at`, with its time; undefined if it is incomplete */
function terminalRecord(bytes: Buffer, at: number, isLast: boolean): number | undefined {
  const space = bytes.indexOf(SPACE, at);
  if (space < 0) return undefined;
  const start = space + 1;
  const lineFeed = bytes.subarray(start, start + RECORD_BYTES).indexOf(LINE_FEED);
  if (lineFeed >= 0) return start + lineFeed + 1 - at;
  if (bytes.length >= start + RECORD_BYTES) return start + RECORD_BYTES - at;
  return isLast ? bytes.length - at : undefined;
}

/** @throws LogFrameError if the record does not begin with a time */
function timed(record: Buffer): { time: string; bytes: Buffer } {
  const space = record.indexOf(SPACE);
  const text = record.toString('latin1', 0, Math.max(0, space));
  return { time: utc(text), bytes: record.subarray(space + 1) };
}

/** Converts a time with an offset, as Docker prints the times of the log driver journald, to UTC. */
function utc(text: string): string {
  if (text.length === TIME_BYTES && text.endsWith('Z')) return text;
  const [, seconds, nanoseconds, offset] = /^(.{19})\.(\d{9})(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  const date = new Date(`${seconds}${offset}`);
  if (Number.isNaN(date.getTime())) throw new LogFrameError(`the container's output has "${text}" as a time`);
  return `${date.toISOString().slice(0, 19)}.${nanoseconds}Z`;
}

/** Converts a record's time for the parameters `since` and `until` of Docker's API: seconds and nanoseconds. */
export function apiTime(time: string): string {
  return `${Date.parse(`${time.slice(0, 19)}Z`) / 1000}.${time.slice(20, 29)}`;
}
