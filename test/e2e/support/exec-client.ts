/** A client for exec sessions, like a terminal or a pipe. */

import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { ClientControl, Outcome } from '../../../src/exec/control.ts';
import { CHANNELS } from '../../../src/exec/frames.ts';

export interface ExecOptions {
  /** Sent with the request for the session and for the WebSocket. */
  headers?: Record<string, string>;
  /** PEM of the certificate of a scheduler with TLS. */
  ca?: string;
}

export interface CreatedSession {
  id: string;
  url: string;
  expiresAt: string;
}

export class ExecClient {
  readonly #socket: WebSocket;
  readonly #output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  #outcome: Outcome | undefined;
  #onOutput = (): void => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#take(data));
    socket.on('error', () => {});
  }

  /** Begins a session. @throws Error with the status of a refusal */
  static async join(base: string, path: string, { headers = {}, ca }: ExecOptions = {}): Promise<ExecClient> {
    const socket = new WebSocket(base.replace(/^http/, 'ws') + path, {
      headers,
      perMessageDeflate: false,
      ...(ca !== undefined && { ca }),
    });
    const client = new ExecClient(socket);
    await once(socket, 'open');
    return client;
  }

  stdout(): string {
    return Buffer.concat(this.#output.stdout).toString();
  }

  stderr(): string {
    return Buffer.concat(this.#output.stderr).toString();
  }

  bytes(): Buffer {
    return Buffer.concat(this.#output.stdout);
  }

  /** Resolves when the connection has taken the bytes. */
  input(bytes: Buffer | string): Promise<void> {
    return this.#send(CHANNELS.stdin, Buffer.from(bytes));
  }

  end(): Promise<void> {
    return this.control({ type: 'end' });
  }

  resize(columns: number, rows: number): Promise<void> {
    return this.control({ type: 'resize', columns, rows });
  }

  control(message: ClientControl): Promise<void> {
    return this.#send(CHANNELS.control, Buffer.from(JSON.stringify(message)));
  }

  /** Resolves when standard output matches. */
  async prints(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stdout())) {
      await new Promise<void>((resolve, reject) => {
        this.#onOutput = resolve;
        if (this.#socket.readyState >= WebSocket.CLOSING)
          reject(new Error(`the session has ended: ${JSON.stringify(this.#outcome)}\n${this.stdout()}`));
      });
    }
  }

  /** Resolves when the connection is closed. */
  async outcome(): Promise<Outcome | undefined> {
    if (this.#socket.readyState !== WebSocket.CLOSED) await once(this.#socket, 'close');
    return this.#outcome;
  }

  /** Reads nothing until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Disconnects without a word, like a killed client. */
  kill(): void {
    this.#socket.terminate();
  }

  #send(channel: number, content: Buffer): Promise<void> {
    const message = Buffer.concat([Buffer.of(channel), content]);
    return new Promise((resolve) => this.#socket.send(message, () => resolve()));
  }

  #take(data: Buffer): void {
    const content = data.subarray(1);
    if (data[0] === CHANNELS.stdout) this.#output.stdout.push(content);
    else if (data[0] === CHANNELS.stderr) this.#output.stderr.push(content);
    else this.#outcome = JSON.parse(content.toString()) as Outcome;
    this.#onOutput();
  }
}
