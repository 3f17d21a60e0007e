/** Listens for requests to the API: with HTTP, with TLS, or with both. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext } from 'node:tls';
import { MesosupError } from '../errors/mesosup-error.ts';
import { EXECUTOR_PROTOCOL } from '../exec/control.ts';
import type { ListenOptions } from './flags/options.ts';
import type { Upgrade } from './upgrade.ts';

/** A running scheduler, single or one of several. */
export interface Daemon {
  readonly port: number;
  /** Stops without ending any task. */
  stop(): Promise<void>;
}

export interface Listening {
  /** The HTTP port; without HTTP, the HTTPS port. */
  readonly port: number;
  readonly urls: readonly string[];
  /** Accepts no further connections; existing ones continue. */
  refuse(): void;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** Limits for the headers and for the complete request, so that slow clients can't hold connections. */
const HEADERS_WITHIN_MS = 20_000;
const REQUEST_WITHIN_MS = 60_000;
/** Keeps idle connections open for clients that poll every minute. */
const KEEP_ALIVE_MS = 75_000;

/** @throws Error with what to do, if a port is in use or the certificate is invalid */
export async function listen(
  options: ListenOptions,
  handler: RequestListener,
  onUpgrade: (upgrade: Upgrade) => void,
): Promise<Listening> {
  const { httpAddress: host, httpPort, tls, maxConnections } = options;
  const servers: { server: Server; scheme: string; flag: string; port: number }[] = [];
  /** The number of requests on a connection that are not answered yet. */
  const unanswered = new WeakMap<Duplex, number>();
  const counting: RequestListener = (request, answer) => {
    const { socket } = request;
    const count = (by: number) => unanswered.set(socket, (unanswered.get(socket) ?? 0) + by);
    count(1);
    answer.once('close', () => count(-1));
    handler(request, answer);
  };
  const common = {
    headersTimeout: HEADERS_WITHIN_MS,
    requestTimeout: REQUEST_WITHIN_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // All other protocols are ignored, as HTTP allows: curl asks for HTTP/2. So are requests that do not wait for the
    // answer to an earlier one, which needs the connection.
    shouldUpgradeCallback: ({ headers, socket }: IncomingMessage) =>
      ['websocket', EXECUTOR_PROTOCOL].includes(headers.upgrade?.toLowerCase() ?? '') &&
      !unanswered.get(socket),
  };
  if (httpPort !== undefined) {
    const server = createServer(common, counting);
    servers.push({ server, scheme: 'http', flag: '--http_port', port: httpPort });
  }
  if (tls) {
    const { port, cert, key } = tls;
    checkCertificate({ cert, key });
    const server = createTlsServer({ ...common, cert, key, minVersion: 'TLSv1.2' as const }, counting);
    servers.push({ server, scheme: 'https', flag: '--https_port', port });
  }
  const urls: string[] = [];
  /** Connections that the servers no longer know. */
  const upgraded = new Set<Duplex>();
  let first = 0;
  for (const { server, scheme, flag, port } of servers) {
    server.maxConnections = maxConnections;
    server.on('upgrade', (request, socket, head) => {
      upgraded.add(socket);
      socket.once('close', () => upgraded.delete(socket));
      // The server no longer handles the errors of this connection, such as a client that resets it.
      socket.on('error', () => socket.destroy());
      onUpgrade({ request, socket, head });
    });
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
      for (const socket of upgraded) socket.destroy();
      await Promise.all(closed);
    },
  };
}

/** @throws Error if they are not a certificate and its key */
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

/** @returns an error with what to do if another program uses the port; any other error unchanged */
function portTaken(error: unknown, host: string, port: number, flag: string): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return error;
  return new MesosupError(
    `port ${port} on ${host} is in use by another program: stop that program, or choose another port with ${flag}`,
    { cause: error },
  );
}
