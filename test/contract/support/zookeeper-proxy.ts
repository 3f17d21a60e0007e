/** A way to a server that a test can cut, in the ways a network does. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { ZooKeeperServer } from '../../../src/zookeeper/address.ts';

export interface TcpProxy {
  readonly at: ZooKeeperServer;
  /** Connections break, and new ones are refused or break at once. */
  cut(): void;
  /** Nothing passes any more, in the directions named, and nobody is told. */
  swallow(direction: 'both' | 'to-server' | 'to-client'): void;
  heal(): void;
  /** What a server last said first: its answer to a client that came with or for a session. */
  lastGreeting(): Buffer;
  /** Breaks the connections there are, after that many more bytes for the client. */
  breakAfter(bytes: number): void;
  close(): Promise<void>;
}

export async function startProxy(target: ZooKeeperServer): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let swallowed: 'both' | 'to-server' | 'to-client' | undefined;
  let bytesLeft = Infinity;
  let greeting: Buffer = Buffer.alloc(0);

  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const upstream = connect(target);
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        // Whoever is behind a wall does not hear that the other has gone.
        if (swallowed === undefined) end();
      });
    }
    client.on('data', (chunk) => {
      if (swallowed === undefined || swallowed === 'to-client') upstream.write(chunk);
    });
    upstream.once('data', (chunk: Buffer) => {
      greeting = chunk;
    });
    upstream.on('data', (chunk: Buffer) => {
      if (swallowed === 'both' || swallowed === 'to-client') return;
      client.write(chunk.subarray(0, bytesLeft));
      bytesLeft -= chunk.length;
      if (bytesLeft > 0) return;
      bytesLeft = Infinity;
      client.end();
      upstream.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const dropAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    at: { host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 },
    cut: () => {
      isCut = true;
      dropAll();
    },
    swallow: (direction) => {
      swallowed = direction;
    },
    heal: () => {
      isCut = false;
      swallowed = undefined;
    },
    lastGreeting: () => greeting,
    breakAfter: (bytes) => {
      bytesLeft = bytes;
    },
    close: async () => {
      dropAll();
      server.close();
      await once(server, 'close');
    },
  };
}
