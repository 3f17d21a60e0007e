/**
 * The framing of the output of a container without a terminal in the Docker Engine API: each piece follows a header of
 * 8 bytes, `[stream, 0, 0, 0, length]`, with the length as a big-endian 32-bit number. With a terminal there is one
 * stream without framing.
 */

/** A piece of a container's output. */
export interface OutputChunk {
  stream: 'stdout' | 'stderr';
  bytes: Buffer;
}

/** The bytes are not framed output. */
export class LogFrameError extends Error {
  override name = 'LogFrameError';
}

const HEADER_BYTES = 8;

/**
 * Decodes framed output in order, for any chunk sizes. Returns parts of a frame as they arrive, so that a large frame is
 * never kept in memory.
 */
export class LogFrameDecoder {
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerFilled = 0;
  #stream: OutputChunk['stream'] = 'stdout';
  /** Remaining bytes of the current frame. */
  #left = 0;

  /** @throws LogFrameError for a header with an unknown stream */
  push(chunk: Buffer): OutputChunk[] {
    const out: OutputChunk[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const take = Math.min(this.#left, chunk.length - at);
        out.push({ stream: this.#stream, bytes: chunk.subarray(at, at + take) });
        this.#left -= take;
        at += take;
      } else {
        const take = Math.min(HEADER_BYTES - this.#headerFilled, chunk.length - at);
        chunk.copy(this.#header, this.#headerFilled, at, at + take);
        this.#headerFilled += take;
        at += take;
        if (this.#headerFilled === HEADER_BYTES) this.#readHeader();
      }
    }
    return out;
  }

  #readHeader(): void {
    const kind = this.#header.readUInt8(0);
    // 0 is stdin, which Docker adds to stdout; 3 is an error message of Docker.
    if (kind > 3 || this.#header.readUIntBE(1, 3) !== 0) {
      throw new LogFrameError(
        `invalid header of a frame of the container's output: ${this.#header.toString('hex')}`,
      );
    }
    this.#stream = kind < 2 ? 'stdout' : 'stderr';
    this.#left = this.#header.readUInt32BE(4);
    this.#headerFilled = 0;
  }
}
