/** Sends the bodies of answers. */

import type { Writable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/** Pieces to send in order. */
export type Body = readonly Buffer[];

/** Size of the writes to the socket or the compressor: each write costs as much as copying some kilobytes. */
export const CHUNK_BYTES = 1 << 18;

/** Enough for two of the longest answers at the same time. */
const MAX_SPARE = 64;

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
  if (lengthOf(body) <= CHUNK_BYTES) raw.end(Buffer.concat(body));
  else writeChunks(body, raw);
}

/** Writes the body in full chunks, and ends the stream. */
export function writeChunks(body: Body, into: Writable): void {
  let lot = takeChunk();
  let filled = 0;
  const write = () => {
    const written = lot;
    into.write(written.subarray(0, filled), () => {
      if (freeChunks.length < MAX_SPARE) freeChunks.push(written);
    });
  };
  for (const bytes of body) {
    for (let from = 0; from < bytes.length; ) {
      if (filled === CHUNK_BYTES) {
        write();
        lot = takeChunk();
        filled = 0;
      }
      const copied = bytes.copy(lot, filled, from);
      from += copied;
      filled += copied;
    }
  }
  write();
  into.end();
}

function takeChunk(): Buffer {
  return freeChunks.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
}
