/**
 * The framing of a container's output in the Docker Engine API, where the container has no terminal: 8 bytes
 * before each piece, `[stream, 0, 0, 0, length]`, the length as a big-endian 32-bit number. With a terminal there
 * is one stream and no framing.
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
 * Bytes in, output out, in order, however the bytes are cut. What has come of a frame is given out at once, so a
 * large frame is never held in memory.
 */
export class LogFrameDecoder {
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerFilled = 0;
  #stream: OutputChunk['stream'] = 'stdout';
  /** Bytes of the current frame still to come. */
  #left = 0;

  /** @throws LogFrameError where a header names no known stream */
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
    // 0 is stdin, which the engine writes to stdout's side; 3 is an error of the engine's own.
    if (kind > 3 || this.#header.readUIntBE(1, 3) !== 0) {
      throw new LogFrameError(
        `a frame of the container's output begins with ${this.#header.toString('hex')}`,
      );
    }
    this.#stream = kind < 2 ? 'stdout' : 'stderr';
    this.#left = this.#header.readUInt32BE(4);
    this.#headerFilled = 0;
  }
}
