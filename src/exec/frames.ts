/**
 * The frames of an exec session. On a WebSocket, a binary message is a frame: one byte for the channel, then the
 * content. Between an executor and a scheduler, a frame on the stream begins with the channel and the length of the
 * content as a big-endian 32-bit number.
 */

export const CHANNELS = { stdin: 0, stdout: 1, stderr: 2, control: 3 } as const;

/** Longest content of a frame. */
export const MAX_FRAME_BYTES = 1 << 20;

const HEADER_BYTES = 5;

export interface Frame {
  readonly channel: number;
  readonly content: Buffer;
}

/** The bytes are not frames. */
export class FrameError extends Error {
  override name = 'FrameError';
}

/** @returns the frame for a stream, in pieces to be written in order */
export function encodeFrame({ channel, content }: Frame): [Buffer, Buffer] {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(channel, 0);
  header.writeUInt32BE(content.length, 1);
  return [header, content];
}

/** Decodes the frames of a stream, for any chunk sizes. */
export class FrameDecoder {
  #chunks: Buffer[] = [];
  #length = 0;
  /** Bytes needed to continue: a header, or a header and its content. */
  #needed = HEADER_BYTES;

  /** @throws FrameError for an unknown channel, or a frame that is too long */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#needed) return [];
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    const frames: Frame[] = [];
    let at = 0;
    for (;;) {
      this.#needed = HEADER_BYTES;
      if (bytes.length < at + HEADER_BYTES) break;
      const channel = bytes.readUInt8(at);
      const length = bytes.readUInt32BE(at + 1);
      if (channel > CHANNELS.control) throw new FrameError(`a frame has the unknown channel ${channel}`);
      if (length > MAX_FRAME_BYTES) throw new FrameError(`a frame is longer than ${MAX_FRAME_BYTES} bytes`);
      this.#needed += length;
      if (bytes.length < at + this.#needed) break;
      frames.push({ channel, content: bytes.subarray(at + HEADER_BYTES, at + this.#needed) });
      at += this.#needed;
    }
    this.#chunks = [bytes.subarray(at)];
    this.#length = bytes.length - at;
    return frames;
  }
}
