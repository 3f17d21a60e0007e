/** Passes frames between the client's WebSocket and the executor's connection, both ways at the slower one's speed. */

import type { WebSocket } from 'ws';
import { encodeControl, type Outcome, readClientControl, readControl } from '../../exec/control.ts';
import { type FrameSocket, PATIENCE } from '../../exec/frame-socket.ts';
import { CHANNELS, type Frame } from '../../exec/frames.ts';

/** Size of the client's frames in memory above which no more are read. */
const MAX_WAITING_BYTES = 256 * 1024;
/** Memory of a frame besides its content: a client may send empty ones. */
const FRAME_OVERHEAD_BYTES = 256;
/** Time for the client to confirm the end of the connection. */
const CLOSE_WITHIN_MS = 5000;
/**
 * The longest pause: `resume` may wait behind input that a command does not read because nothing reads its output. A
 * client that needs a longer one says so again.
 */
const PAUSE_MS = 2000;

/** Status codes of a WebSocket's end. */
const CLOSED = { done: 1000, protocol: 1008, failed: 1011 } as const;

/** A client's WebSocket that carries the frames of a session. Its frames wait until there is an executor. */
export class ExecClient {
  /** Resolves when the connection is closed, by whichever side. */
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #silentLimitMs: number;
  readonly #pinging: NodeJS.Timeout;
  #heardAt = performance.now();
  #waiting: Frame[] = [];
  #waitingBytes = 0;
  #executor: FrameSocket | undefined;
  #sending = false;
  readonly #pauseMs: number;
  /** Resolves at the end of the client's pause. */
  #pause: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  constructor(socket: WebSocket, { pingEveryMs, silentLimitMs } = PATIENCE, pauseMs = PAUSE_MS) {
    this.#socket = socket;
    this.#silentLimitMs = silentLimitMs;
    this.#pauseMs = pauseMs;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    // A 'close' event follows.
    socket.on('error', () => {});
    socket.on('pong', () => this.#hear());
    socket.on('message', (data, isBinary) => this.#take(data as Buffer, isBinary));
    this.#pinging = setInterval(() => this.#ping(), pingEveryMs);
    socket.once('close', () => {
      clearInterval(this.#pinging);
      this.#pause?.end();
    });
  }

  /** Sends the client's frames to the executor from now on. */
  connect(executor: FrameSocket): void {
    this.#executor = executor;
    void this.#drain();
  }

  /** Sends output, after a pause of the client. Resolves when the connection has taken the frame. */
  async sendOutput(frame: Frame): Promise<void> {
    while (this.#pause) await this.#pause.over;
    await this.#send(frame);
  }

  #send({ channel, content }: Frame): Promise<void> {
    const message = Buffer.concat([Buffer.of(channel), content]);
    return new Promise((resolve) => this.#socket.send(message, () => resolve()));
  }

  /** Sends the outcome, and closes the connection. */
  end(outcome: Outcome): void {
    void this.#send({ channel: CHANNELS.control, content: encodeControl(outcome) });
    this.#close(outcome.type === 'exit' ? CLOSED.done : CLOSED.failed);
  }

  #take(data: Buffer, isBinary: boolean): void {
    this.#hear();
    const channel = isBinary && data.length > 0 ? data.readUInt8(0) : -1;
    const content = data.subarray(1);
    const read = channel === CHANNELS.stdin ? undefined : readMessage(channel, content);
    if (typeof read === 'string') {
      void this.#send({
        channel: CHANNELS.control,
        content: encodeControl({ type: 'error', message: read }),
      });
      this.#close(CLOSED.protocol);
      return;
    }
    if (read?.type === 'pause' || read?.type === 'resume') {
      this.#pause?.end();
      if (read.type === 'pause') this.#beginPause();
      return;
    }
    this.#waiting.push({ channel, content });
    this.#waitingBytes += content.length + FRAME_OVERHEAD_BYTES;
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#socket.pause();
    void this.#drain();
  }

  #beginPause(): void {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const end = () => {
      clearTimeout(late);
      if (this.#pause?.over === over) this.#pause = undefined;
      resolve();
    };
    const late = setTimeout(end, this.#pauseMs);
    this.#pause = { over, end };
  }

  async #drain(): Promise<void> {
    if (this.#sending || !this.#executor) return;
    this.#sending = true;
    for (let frame = this.#waiting.shift(); frame; frame = this.#waiting.shift()) {
      await this.#executor.send(frame.channel, frame.content);
      this.#waitingBytes -= frame.content.length + FRAME_OVERHEAD_BYTES;
    }
    this.#sending = false;
    if (this.#socket.isPaused) this.#socket.resume();
  }

  #close(code: number): void {
    this.#socket.close(code);
    // Reads the client's confirmation.
    if (this.#socket.isPaused) this.#socket.resume();
    setTimeout(() => this.#socket.terminate(), CLOSE_WITHIN_MS).unref();
  }

  #hear(): void {
    this.#heardAt = performance.now();
  }

  #ping(): void {
    // Without reading, no answer can be heard.
    if (this.#socket.isPaused) this.#hear();
    if (performance.now() - this.#heardAt > this.#silentLimitMs) this.#socket.terminate();
    else if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }
}

/** @returns a text for a message that is not valid */
function readMessage(channel: number, content: Buffer): ReturnType<typeof readClientControl> {
  return channel === CHANNELS.control
    ? readClientControl(content)
    : 'a message must be binary and begin with byte 0 (stdin) or 3 (control)';
}

/** Passes the executor's frames to the client. @returns the outcome that the executor reports */
export async function relayOutput(client: ExecClient, executor: FrameSocket): Promise<Outcome> {
  try {
    for await (const frame of executor.frames()) {
      if (frame.channel === CHANNELS.control) {
        const message = readControl(frame.content);
        if (message?.type === 'exit' || message?.type === 'error') return message;
      } else if (frame.channel !== CHANNELS.stdin) await client.sendOutput(frame);
    }
  } catch (error) {
    return lost((error as Error).message);
  }
  return lost('it was closed');
}

function lost(reason: string): Outcome {
  const message = `The connection to the executor was lost (${reason}): it may have been restarted. The command was ended`;
  return { type: 'error', message };
}
