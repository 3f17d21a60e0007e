/** A TCP proxy to a server that can simulate network failures. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { ZooKeeperServer } from '../../../src/zookeeper/address.ts';

export interface TcpProxy {
  readonly at: ZooKeeperServer;
  /** Breaks all connections, and refuses or breaks new ones. */
  cut(): void;
  /** Silently drops all data in the given directions. */
  swallow(direction: 'both' | 'to-server' | 'to-client'): void;
  heal(): void;
  /** The first data of the last connection's server: its answer to the handshake. */
  lastGreeting(): Buffer;
  /** Breaks the existing connections after the given number of further bytes for the client. */
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
        // In the blocked state, a peer is not notified of the other's disconnect.
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
