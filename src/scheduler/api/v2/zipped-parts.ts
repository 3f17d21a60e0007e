/**
 * Compresses long answers by groups of parts, each of which is kept until a part of it changes. So a compressed answer
 * costs what has changed since the last one. The result is a single gzip member, as all clients read it.
 */

import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, deflateRawSync } from 'node:zlib';
import { Pace } from '../../pace.ts';
import { type Body, copyPieces, lengthOf, type Piece, type Text, textOf } from '../body.ts';
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
  readonly blocks: Text;
  /** Of the parts. */
  readonly length: number;
  readonly crc: number;
  readonly shift: number;
}

/** Holds the text of a group while it is compressed in the event loop. */
const scratch = Buffer.allocUnsafeSlow(MAX_SYNC_BYTES);

/** The zipped groups, by their last part. */
const kept = new WeakMap<Part, Zipped>();

/** @returns the content of a gzip file */
export async function zipParts(parts: readonly Part[]): Promise<Body> {
  const pace = new Pace();
  const body: Piece[] = [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])];
  let crc = 0;
  let length = 0;
  for (const group of groupsOf(parts)) {
    const zipped = await zip(group);
    body.push(zipped.blocks);
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
  const length = lengthOf(parts);
  const isShort = length <= MAX_SYNC_BYTES;
  const text = copyPieces(parts, isShort ? scratch : Buffer.allocUnsafeSlow(length));
  const options = { level: LEVEL, finishFlush: constants.Z_SYNC_FLUSH };
  const small = isShort ? deflateRawSync(text, options) : await promisify(deflateRaw)(text, options);
  const zipped = { parts, blocks: textOf(small), length, crc: crc32(text), shift: crcShift(length) };
  if (last) kept.set(last, zipped);
  return zipped;
}
