/**
 * The framing of a journal file: one line a record, `<crc32, 8 hex digits> <length in bytes> <JSON>\n`. A record is
 * written and made durable as a whole before the next begins, so only the last can be torn.
 */

import { crc32 } from 'node:zlib';

const NEWLINE = 0x0a;

export function encodeFrame(record: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(record), 'utf8');
  return Buffer.concat([Buffer.from(`${checksum(body)} ${body.length} `, 'ascii'), body, Buffer.from('\n')]);
}

export interface Frames {
  records: unknown[];
  /** Where the whole records end: the file's length, unless its end is torn. */
  end: number;
  /** Where a record is broken that was once whole, since others follow it. */
  corruptAt?: number;
}

export function decodeFrames(bytes: Buffer): Frames {
  const records: unknown[] = [];
  let at = 0;
  while (at < bytes.length) {
    const line = lineAt(bytes, at);
    const body = line && bodyOf(line);
    if (!line || !body) {
      return { records, end: at, ...(hasFrameAfter(bytes, at) && { corruptAt: at }) };
    }
    records.push(JSON.parse(body.toString('utf8')));
    at += line.length + 1;
  }
  return { records, end: at };
}

/** Up to the newline, or undefined where there is none. */
function lineAt(bytes: Buffer, at: number): Buffer | undefined {
  const newline = bytes.indexOf(NEWLINE, at);
  return newline === -1 ? undefined : bytes.subarray(at, newline);
}

function bodyOf(line: Buffer): Buffer | undefined {
  const head = /^([0-9a-f]{8}) (\d{1,10}) /.exec(line.subarray(0, 20).toString('latin1'));
  if (!head) return undefined;
  const body = line.subarray(head[0].length);
  return body.length === Number(head[2]) && checksum(body) === head[1] ? body : undefined;
}

function hasFrameAfter(bytes: Buffer, from: number): boolean {
  for (let at = bytes.indexOf(NEWLINE, from); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
    const line = lineAt(bytes, at + 1);
    if (line && bodyOf(line)) return true;
  }
  return false;
}

function checksum(body: Uint8Array): string {
  return crc32(body).toString(16).padStart(8, '0');
}
