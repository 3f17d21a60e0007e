/** A Unix socket in front of the Docker engine's, which a test can close to simulate a stopped engine, or slow down. */

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class EngineProxy {
  readonly socket: string;
  /** How long requests wait before they reach the engine, like those to a busy engine. */
  delayMs = 0;
  readonly #connections = new Set<Socket>();
  #server: Server | undefined;

  constructor(socket: string) {
    this.socket = socket;
  }

  async open(): Promise<void> {
    this.#server = createServer((near) => {
      const far = connect('/var/run/docker.sock');
      far.pipe(near);
      if (this.delayMs > 0) setTimeout(() => near.pipe(far), this.delayMs);
      else near.pipe(far);
      for (const side of [near, far]) {
        this.#connections.add(side);
        side.on('error', () => {});
        side.on('close', () => {
          near.destroy();
          far.destroy();
          this.#connections.delete(side);
        });
      }
    });
    this.#server.listen(this.socket);
    await once(this.#server, 'listening');
  }

  /** Closes all connections and accepts no new one. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.close();
    for (const connection of this.#connections) connection.destroy();
    if (server) await once(server, 'close');
  }
}
