/** A connection between an executor and a scheduler that carries the frames of one exec session. */

import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Control, encodeControl } from './control.ts';
import { CHANNELS, encodeFrame, type Frame, FrameDecoder } from './frames.ts';

/** Both sides of a connection send pings, and give up a peer from which nothing came within the limit. */
export interface Patience {
  readonly pingEveryMs: number;
  readonly silentLimitMs: number;
}

export const PATIENCE: Patience = { pingEveryMs: 10_000, silentLimitMs: 35_000 };

export class FrameSocket {
  readonly #socket: Socket;
  readonly #head: Buffer;
  readonly #patience: Patience;
  readonly #pinging: NodeJS.Timeout;
  #reads = false;
  /** Pings since something was received. Counted, because after a pause of this process what came meanwhile is read late. */
  #unanswered = 0;
  #failure: Error | undefined;

  /** @param head bytes that were read with the answer to the request */
  constructor(socket: Socket, head: Buffer, patience = PATIENCE) {
    this.#patience = patience;
    this.#socket = socket;
    this.#head = head;
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.on('error', (error) => {
      this.#failure ??= error;
    });
    this.#pinging = setInterval(() => this.#ping(), patience.pingEveryMs);
    socket.once('close', () => clearInterval(this.#pinging));
  }

  /** Resolves when the connection can take more. Has no effect on a closed connection. */
  async send(channel: number, content: Buffer): Promise<void> {
    const socket = this.#socket;
    if (!socket.writable) return;
    const [header, body] = encodeFrame({ channel, content });
    socket.cork();
    socket.write(header);
    const ready = socket.write(body);
    socket.uncork();
    if (!ready) await drained(socket);
  }

  control(message: Control): Promise<void> {
    return this.send(CHANNELS.control, encodeControl(message));
  }

  /**
   * Yields frames until the peer closes the connection. Reads on only when the caller has handled a frame, so a slow
   * caller slows down the peer.
   * @throws Error if the connection is interrupted or the peer is silent, FrameError for other bytes
   */
  async *frames(): AsyncGenerator<Frame> {
    const decoder = new FrameDecoder();
    try {
      yield* decoder.push(this.#head);
      this.#reads = true;
      for await (const chunk of this.#socket as AsyncIterable<Buffer>) {
        // The peer is not silent while it waits for the caller.
        this.#reads = false;
        yield* decoder.push(chunk);
        this.#unanswered = 0;
        this.#reads = true;
      }
    } catch (error) {
      throw this.#failure ?? error;
    }
  }

  /** Sends what is waiting, then closes the connection. */
  async end(withinMs = 5000): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) return;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.end();
    socket.resume();
    await Promise.race([closed, sleep(withinMs, undefined, { ref: false })]);
    socket.destroy();
  }

  close(): void {
    this.#socket.destroy();
  }

  #ping(): void {
    const { pingEveryMs, silentLimitMs } = this.#patience;
    if (this.#reads && this.#unanswered * pingEveryMs > silentLimitMs) {
      this.#failure = new Error(`nothing was received for ${silentLimitMs / 1000} s`);
      this.#socket.destroy(this.#failure);
      return;
    }
    this.#unanswered += 1;
    void this.control({ type: 'ping' });
  }
}

async function drained(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.once('drain', done);
    socket.once('close', done);
  });
}
