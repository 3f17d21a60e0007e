/** Where the API listens: over HTTP, over TLS, or both. */

import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
import { MesosupError } from '../errors/mesosup-error.ts';
import type { ListenOptions } from './flags/options.ts';

/** What a daemon is to whoever started it, alone or as one of several. */
export interface Daemon {
  readonly port: number;
  /** Stops without ending any task. */
  stop(): Promise<void>;
}

export interface Listening {
  /** Of HTTP, or of HTTPS where that is all. */
  readonly port: number;
  readonly urls: readonly string[];
  /** No connection is taken from here on; those there are go on. */
  refuse(): void;
  /** Cuts what connections there are. */
  close(): Promise<void>;
}

/** For a request's headers, and for all of it: a client that dawdles doesn't hold a connection for ever. */
const HEADERS_WITHIN_MS = 20_000;
const REQUEST_WITHIN_MS = 60_000;
/** An idle connection is kept for a client that asks every minute. */
const KEEP_ALIVE_MS = 75_000;

/** @throws Error with what to do, where a port is taken or the certificate is no good */
export async function listen(options: ListenOptions, handler: RequestListener): Promise<Listening> {
  const { httpAddress: host, httpPort, tls, maxConnections } = options;
  const servers: { server: Server; scheme: string; flag: string; port: number }[] = [];
  const common = {
    headersTimeout: HEADERS_WITHIN_MS,
    requestTimeout: REQUEST_WITHIN_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  };
  if (httpPort !== undefined) {
    const server = createServer(common, handler);
    servers.push({ server, scheme: 'http', flag: '--http_port', port: httpPort });
  }
  if (tls) {
    const { port, cert, key } = tls;
    checkCertificate({ cert, key });
    const server = createTlsServer({ ...common, cert, key, minVersion: 'TLSv1.2' as const }, handler);
    servers.push({ server, scheme: 'https', flag: '--https_port', port });
  }
  const urls: string[] = [];
  let first = 0;
  for (const { server, scheme, flag, port } of servers) {
    server.maxConnections = maxConnections;
    server.listen({ host, port });
    try {
      await once(server, 'listening');
    } catch (error) {
      for (const one of servers) one.server.close();
      throw portTaken(error, host, port, flag);
    }
    const actualPort = (server.address() as AddressInfo).port;
    first ||= actualPort;
    urls.push(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${actualPort}`);
  }
  const closed = servers.map(({ server }) => once(server, 'close'));
  const refuse = () => {
    for (const { server } of servers) server.close();
  };
  return {
    port: first,
    urls,
    refuse,
    close: async () => {
      refuse();
      for (const { server } of servers) server.closeAllConnections();
      await Promise.all(closed);
    },
  };
}

/** @throws Error where they are no certificate with its key */
export function checkCertificate({ cert, key }: { readonly cert: string; readonly key: string }): void {
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MesosupError(
      `--ssl_cert_file and --ssl_key_file are not a certificate and its key: ${reason}`,
      {
        cause: error,
      },
    );
  }
}

/** What to do where the API's port is another program's; any other error as it is. */
function portTaken(error: unknown, host: string, port: number, flag: string): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return error;
  return new MesosupError(
    `port ${port} on ${host} is in use by another program: stop that program, or choose another port with ${flag}`,
    { cause: error },
  );
}
