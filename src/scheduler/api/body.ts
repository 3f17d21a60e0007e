/** Sends the bodies of answers. */

import type { Writable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { Pace } from '../pace.ts';

/**
 * A text that is encoded only when it is sent: as Latin-1 if it has as many bytes as letters, otherwise as UTF-8. Kept
 * texts cost less memory than kept buffers, which fragment it.
 */
export interface Text {
  readonly text: string;
  /** In bytes. */
  readonly length: number;
}

export type Piece = Buffer | Text;

/** Pieces to send in order. */
export type Body = readonly Piece[];

/** Size of the writes to the socket or the compressor: each write costs as much as copying some kilobytes. */
export const CHUNK_BYTES = 1 << 18;

/** Enough for some long answers at the same time. */
const MAX_SPARE = 8;

/** Written chunks for reuse. New chunks for each answer would keep the garbage collector busy. */
const freeChunks: Buffer[] = [];

export function lengthOf(body: Body): number {
  return body.reduce((sum, { length }) => sum + length, 0);
}

export function send(
  { raw }: FastifyReply,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Body,
): void {
  raw.writeHead(status, headers);
  if (lengthOf(body) <= CHUNK_BYTES) raw.end(joinPieces(body));
  else void writeChunks(body, raw);
}

function joinPieces(body: Body): Buffer {
  return copyPieces(body, Buffer.allocUnsafe(lengthOf(body)));
}

/** @returns the part of the buffer that the pieces take */
export function copyPieces(body: Body, bytes: Buffer): Buffer {
  let filled = 0;
  for (const piece of body) {
    copyPiece(piece, bytes, filled);
    filled += piece.length;
  }
  return bytes.subarray(0, filled);
}

/**
 * Writes the body in full chunks, each when the stream has taken the one before, and ends the stream. So a long answer
 * stalls nothing else, and a slow client costs no memory. Stops if the stream is destroyed.
 */
export async function writeChunks(body: Body, into: Writable): Promise<void> {
  const pace = new Pace();
  const chunk = freeChunks.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
  for (const filled of fillChunks(body, chunk)) {
    const failed = await new Promise<unknown>((resolve) => into.write(filled, resolve));
    if (failed) return;
    await pace.pause();
  }
  if (freeChunks.length < MAX_SPARE) freeChunks.push(chunk);
  into.end();
}

/** Yields the body in parts of the chunk, each of which is overwritten by the next. */
function* fillChunks(body: Body, chunk: Buffer): Generator<Buffer> {
  let filled = 0;
  for (const piece of body) {
    if (piece.length <= chunk.length - filled) {
      copyPiece(piece, chunk, filled);
      filled += piece.length;
      continue;
    }
    const bytes = Buffer.isBuffer(piece) ? piece : Buffer.from(piece.text, encodingOf(piece));
    for (let from = 0; from < bytes.length; ) {
      if (filled === chunk.length) {
        yield chunk;
        filled = 0;
      }
      const copied = bytes.copy(chunk, filled, from);
      from += copied;
      filled += copied;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}

function copyPiece(piece: Piece, into: Buffer, at: number): void {
  if (Buffer.isBuffer(piece)) piece.copy(into, at);
  else into.write(piece.text, at, encodingOf(piece));
}

function encodingOf({ text, length }: Text): BufferEncoding {
  return length === text.length ? 'latin1' : 'utf8';
}

/** Keeps bytes as a text. */
export function textOf(bytes: Buffer): Text {
  return { text: bytes.toString('latin1'), length: bytes.length };
}
