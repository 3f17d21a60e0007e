/** Packets on a connection in either direction: a length of 4 bytes, then that many bytes. */

import { int, WireError } from './jute.ts';

const LENGTH_BYTES = 4;
/**
 * A server limits what it accepts (`jute.maxbuffer`) but not what it sends: the names of a znode's children may exceed
 * that. This limit only detects a peer that is no ZooKeeper.
 */
const LARGEST_BYTES = 64 * 1024 * 1024;

/** Makes one packet of records. */
export function packet(...records: readonly Buffer[]): Buffer {
  const length = records.reduce((sum, record) => sum + record.length, 0);
  return Buffer.concat([int(length), ...records]);
}

/** Cuts a stream of bytes into packets. */
export class PacketReader {
  /** What has arrived of the next packet, its length included. */
  #chunks: Buffer[] = [];
  #size = 0;
  /** The size that `#chunks` must reach: that of the length, and of the whole packet once the length is known. */
  #wanted = LENGTH_BYTES;

  /**
   * Yields the packets that the chunk completes, without their lengths. Must be read to the end before the next chunk.
   * Throws WireError at an impossible length; no more can be read from the stream then.
   */
  *read(chunk: Buffer): Generator<Buffer, void> {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    // The chunks of a large packet are joined once, when all of them are there.
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
