/** Starts and stops the servers of master and agent. */

import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { ServerTls } from '../../tls/settings.ts';
import { answerText } from './http.ts';

export interface ListenerOptions {
  readonly port: number;
  readonly ip: string;
  /** Undefined: plain text only. */
  readonly tls: ServerTls | undefined;
  readonly log: (line: string) => void;
}

export interface Listener {
  readonly port: number;
  /** `http://ip:port`; `https:` if the port takes only TLS. */
  readonly url: string;
  /** Requests that arrive earlier wait for it. */
  handle(handler: RequestListener): void;
  /** Ends all connections. Resolves when the port is free. */
  close(): Promise<void>;
}

/** Listens, with timeouts suitable for long streams. @throws MesosupError for the files of TLS; the error of listen */
export async function listen({ port, ip, tls, log }: ListenerOptions): Promise<Listener> {
  const { server, destroyConnections, refusal } = tls ? await serverWithTls(tls, log) : plainServer();
  server.requestTimeout = 0;
  server.headersTimeout = 60_000;
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, ip, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const actual = (server.address() as AddressInfo).port;
  return {
    port: actual,
    url: `${tls && !tls.plainToo ? 'https' : 'http'}://${ip}:${actual}`,
    handle: (handler) =>
      void server.on('request', (request, response) => {
        const problem = refusal(request);
        if (problem === undefined) handler(request, response);
        else answerText(response, 403, problem, { Connection: 'close' });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        destroyConnections();
      }),
  };
}

interface Parts {
  readonly server: Server;
  readonly destroyConnections: () => void;
  /** @returns why the client is refused */
  readonly refusal: (request: IncomingMessage) => string | undefined;
}

function plainServer(): Parts {
  const server = createServer();
  return { server, destroyConnections: () => server.closeAllConnections(), refusal: () => undefined };
}

/**
 * Unlike a real Mesos, it refuses a client without a certificate only when it has sent a request, so that the answer can
 * say why. Plain text needs none where it is taken, as in a real Mesos.
 */
async function serverWithTls(tls: ServerTls, log: (line: string) => void): Promise<Parts> {
  // Loaded on demand: it takes 17 ms.
  const [{ clientProblem, createTlsServer }, { TlsMaterial }] = await Promise.all([
    import('../../tls/listen.ts'),
    import('../../tls/material.ts'),
  ]);
  const { plainToo, requiresClients } = tls;
  const material = new TlsMaterial(tls, log);
  return {
    ...createTlsServer({ material, plainToo, asksClients: requiresClients }),
    refusal: (request) =>
      requiresClients && 'encrypted' in request.socket ? clientProblem(request) : undefined,
  };
}

/** Returns the address under which a server is reachable: for 0.0.0.0, the first address that isn't a loopback. */
export function reachableAddress(ip: string): string {
  if (ip !== '0.0.0.0') return ip;
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
