/**
 * The framing of a journal file: one line per record, `<crc32, 8 hex digits> <length in bytes> <JSON>\n`. Each record
 * is durable before the next one is written, so only the last record can be incomplete.
 */

import { crc32 } from 'node:zlib';

const NEWLINE = 0x0a;
/** Checksum, length and two spaces. */
const MAX_HEAD_LENGTH = 20;

export function encodeFrame(record: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(record), 'utf8');
  return Buffer.concat([Buffer.from(`${checksum(body)} ${body.length} `, 'ascii'), body, Buffer.from('\n')]);
}

export interface Frames {
  /** The JSON of each record. */
  records: Buffer[];
  /** End of the last complete record: the length of the file, unless its end is incomplete. */
  end: number;
  /** Offset of a damaged record: it must have been complete, since valid records follow. */
  corruptAt?: number;
}

/** Finds the complete records, without reading their content. */
export function findFrames(bytes: Buffer): Frames {
  const records: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const body = readBody(bytes, at);
    if (!body) return { records, end: at, ...(hasFrameAfter(bytes, at) && { corruptAt: at }) };
    records.push(body);
    at = body.byteOffset - bytes.byteOffset + body.length + 1;
  }
  return { records, end: at };
}

export function decodeRecord(record: Buffer): unknown {
  return JSON.parse(record.toString('utf8'));
}

/** @returns the body of the frame at this offset, or undefined if there is none */
function readBody(bytes: Buffer, at: number): Buffer | undefined {
  const head = /^([0-9a-f]{8}) (\d{1,10}) /.exec(bytes.subarray(at, at + MAX_HEAD_LENGTH).toString('latin1'));
  if (!head) return undefined;
  const begin = at + head[0].length;
  const body = bytes.subarray(begin, begin + Number(head[2]));
  const whole = body.length === Number(head[2]) && bytes[begin + body.length] === NEWLINE;
  return whole && checksum(body) === head[1] ? body : undefined;
}

function hasFrameAfter(bytes: Buffer, from: number): boolean {
  const rest = bytes.subarray(from + 1);
  for (const { index } of rest.toString('latin1').matchAll(/[0-9a-f]{8} \d{1,10} /g)) {
    if (readBody(rest, index)) return true;
  }
  return false;
}

function checksum(body: Uint8Array): string {
  return crc32(body).toString(16).padStart(8, '0');
}
