/** A server whose answers the test gives one at a time, to simulate a master or agent. */

import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeRecord } from '../../src/mesos/recordio.ts';

/** One request, waiting for the test's answer. */
export interface Exchange {
  path: string;
  headers: IncomingHttpHeaders;
  /** The JSON of the request. */
  call: { type: string; [field: string]: unknown };
  /** The number of its connection, counted from 0. */
  connection: number;
  reply(status: number, text?: string, headers?: Record<string, string>): void;
  stream(headers?: Record<string, string>): EventStream;
  /** Closes the connection without an answer. */
  hangUp(): void;
}

export interface EventStream {
  event(event: unknown): void;
  raw(bytes: Uint8Array): void;
  end(): void;
  /** Destroys the connection without an end of the stream. */
  break(): void;
  /** Resolves when either side has closed it. */
  closed: Promise<void>;
}

export class ScriptedServer {
  readonly #server: Server;
  readonly #arrived: Exchange[] = [];
  readonly #waiting: ((exchange: Exchange) => void)[] = [];
  #connections = 0;

  constructor() {
    const numbers = new WeakMap<object, number>();
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const exchange: Exchange = {
          path: request.url ?? '',
          headers: request.headers,
          call: text === '' ? { type: '' } : JSON.parse(text),
          connection: numbers.get(request.socket) ?? -1,
          reply: (status, text = '', headers = {}) => response.writeHead(status, headers).end(text),
          stream: (headers = {}) => openStream(response, headers),
          hangUp: () => request.socket.destroy(),
        };
        const waiting = this.#waiting.shift();
        if (waiting) waiting(exchange);
        else this.#arrived.push(exchange);
      });
    });
    this.#server.on('connection', (socket) => {
      numbers.set(socket, this.#connections);
      this.#connections += 1;
    });
  }

  /** @param path a Unix socket to listen on instead of a free port */
  async listen(path?: string): Promise<void> {
    await new Promise<void>((resolve) => {
      if (path === undefined) this.#server.listen(0, '127.0.0.1', resolve);
      else this.#server.listen(path, resolve);
    });
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Waits for the next request, in order of arrival. */
  next(): Promise<Exchange> {
    const exchange = this.#arrived.shift();
    if (exchange) return Promise.resolve(exchange);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Number of requests that were not taken with `next`. */
  get unread(): number {
    return this.#arrived.length;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function openStream(response: ServerResponse, headers: Record<string, string>): EventStream {
  response.writeHead(200, { 'Content-Type': 'application/json', ...headers });
  response.flushHeaders();
  return {
    event: (event) => response.write(encodeRecord(JSON.stringify(event))),
    raw: (bytes) => response.write(bytes),
    end: () => response.end(),
    break: () => response.destroy(),
    closed: new Promise((resolve) => response.once('close', () => resolve())),
  };
}
