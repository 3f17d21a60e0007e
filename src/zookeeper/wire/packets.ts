/** Packets on a connection, in both directions: a length of 4 bytes, then that many bytes. */

import { int, WireError } from './jute.ts';

const LENGTH_BYTES = 4;
/**
 * A server limits the packets it accepts (`jute.maxbuffer`) but not the packets it sends: the names of a znode's
 * children may exceed that limit. This limit only detects a peer that is not ZooKeeper.
 */
const LARGEST_BYTES = 64 * 1024 * 1024;

/** Combines records into one packet. */
export function packet(...records: readonly Buffer[]): Buffer {
  const length = records.reduce((sum, record) => sum + record.length, 0);
  return Buffer.concat([int(length), ...records]);
}

/** Splits a stream of bytes into packets. */
export class PacketReader {
  /** The received bytes of the next packet, including its length. */
  #chunks: Buffer[] = [];
  #size = 0;
  /** The size that `#chunks` must reach: the size of the length field, then of the complete packet. */
  #wanted = LENGTH_BYTES;

  /**
   * Yields the packets that the chunk completes, without their lengths. Must be read completely before the next chunk.
   * Throws WireError for an invalid length; the stream can't be read any further then.
   */
  *read(chunk: Buffer): Generator<Buffer, void> {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    // The chunks of a large packet are joined once, when all of them have arrived.
    if (this.#size < this.#wanted) return;
    let rest = Buffer.concat(this.#chunks);
    for (;;) {
      this.#wanted = LENGTH_BYTES + (rest.length < LENGTH_BYTES ? 0 : lengthOf(rest));
      if (rest.length < this.#wanted) break;
      yield rest.subarray(LENGTH_BYTES, this.#wanted);
      rest = rest.subarray(this.#wanted);
    }
    // An empty rest would keep all of the chunks in memory.
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
  }
}

function lengthOf(bytes: Buffer): number {
  const length = bytes.readInt32BE();
  if (length < 0 || length > LARGEST_BYTES) throw new WireError(`${length} is not the length of a packet`);
  return length;
}
