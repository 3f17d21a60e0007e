/**
 * Compresses long answers by groups of parts, each of which is kept until a part of it changes. So a compressed answer
 * costs what has changed since the last one. The result is a single gzip member, as all clients read it.
 */

import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, deflateRawSync } from 'node:zlib';
import { Pace } from '../../pace.ts';
import { crcShift, joinCrcs } from '../crc.ts';
import type { Part } from './parts.ts';

/** Lists of apps shrink at any level; low levels take a fraction of the time. */
const LEVEL = 1;
/** Compressed in the event loop: a few milliseconds at most. Longer groups are compressed beside it. */
const MAX_SYNC_BYTES = 1 << 18;

interface Zipped {
  /** To be compared with the present ones. */
  readonly parts: readonly Part[];
  /** Blocks of a deflate stream that refer to no others. */
  readonly bytes: Buffer;
  readonly length: number;
  readonly crc: number;
  readonly shift: number;
}

/** The zipped groups, by their last part. */
const kept = new WeakMap<Part, Zipped>();

/** @returns the content of a gzip file */
export async function zipParts(parts: readonly Part[]): Promise<Buffer[]> {
  const pace = new Pace();
  const body: Buffer[] = [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])];
  let crc = 0;
  let length = 0;
  for (const group of groupsOf(parts)) {
    const zipped = await zip(group);
    body.push(zipped.bytes);
    crc = joinCrcs(crc, zipped.crc, zipped.shift);
    length += zipped.length;
    await pace.pause();
  }
  const end = Buffer.alloc(10);
  // An empty last block.
  end.writeUInt8(3, 0);
  end.writeUInt32LE(crc, 2);
  end.writeUInt32LE(length % 2 ** 32, 6);
  body.push(end);
  return body;
}

function* groupsOf(parts: readonly Part[]): Iterable<readonly Part[]> {
  let from = 0;
  for (const [i, { endsGroup }] of parts.entries()) {
    if (!endsGroup && i < parts.length - 1) continue;
    yield parts.slice(from, i + 1);
    from = i + 1;
  }
}

async function zip(parts: readonly Part[]): Promise<Zipped> {
  const last = parts.at(-1);
  const known = last && kept.get(last);
  if (known?.parts.length === parts.length && known.parts.every((part, i) => part === parts[i])) return known;
  const text = Buffer.concat(parts.map(({ bytes }) => bytes));
  const options = { level: LEVEL, finishFlush: constants.Z_SYNC_FLUSH };
  const small =
    text.length <= MAX_SYNC_BYTES
      ? deflateRawSync(text, options)
      : await promisify(deflateRaw)(text, options);
  // A copy, since the result may be a slice of a longer buffer.
  const bytes = Buffer.allocUnsafeSlow(small.length);
  small.copy(bytes);
  const { length } = text;
  const zipped = { parts, bytes, length, crc: crc32(text), shift: crcShift(length) };
  if (last) kept.set(last, zipped);
  return zipped;
}
