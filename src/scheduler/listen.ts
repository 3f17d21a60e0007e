/** Listens for requests to the API: with HTTP, with TLS, or with both, on one port or two. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext } from 'node:tls';
import { MesosupError } from '../errors/mesosup-error.ts';
import { EXECUTOR_PROTOCOL } from '../exec/control.ts';
import type { TlsFiles } from '../tls/settings.ts';
import { VIA } from './api/client-origin.ts';
import { isOfExecutor } from './exec/exec-sessions.ts';
import type { ListenOptions } from './flags/options.ts';
import { answerOf, type Upgrade } from './upgrade.ts';

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

interface Listener {
  readonly server: Server;
  readonly schemes: readonly string[];
  readonly flag: string;
  readonly port: number;
  destroyConnections(): void;
}

/**
 * @param warn called if a changed certificate can't be used
 * @throws Error with what to do, if a port is in use or the certificate is invalid
 */
export async function listen(
  options: ListenOptions,
  handler: RequestListener,
  onUpgrade: (upgrade: Upgrade) => void,
  warn: (message: string) => void,
): Promise<Listening> {
  const { httpAddress: host, httpPort, tls, maxConnections } = options;
  const servers: Listener[] = [];
  /** The number of requests on a connection that are not answered yet. */
  const unanswered = new WeakMap<Duplex, number>();
  const refuses = options.requiresServiceCertificate ? await serviceCheck() : () => false;
  const counting: RequestListener = (request, answer) => {
    const { socket } = request;
    const count = (by: number) => unanswered.set(socket, (unanswered.get(socket) ?? 0) + by);
    count(1);
    answer.once('close', () => count(-1));
    if (!refuses(request, () => answer)) handler(request, answer);
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
  const isShared = sharesPort(options);
  if (httpPort !== undefined && !isShared) {
    const server = createServer(common);
    const destroyConnections = () => server.closeAllConnections();
    servers.push({ server, schemes: ['http'], flag: '--http_port', port: httpPort, destroyConnections });
  }
  if (tls) {
    checkCertificate(tls);
    // Loaded on demand: most schedulers do not need it.
    const [{ createTlsServer }, { TlsMaterial }] = await Promise.all([
      import('../tls/listen.ts'),
      import('../tls/material.ts'),
    ]);
    const { port, ...files } = tls;
    const made = createTlsServer({
      http: common,
      material: new TlsMaterial(files, warn),
      plainToo: isShared,
      asksClients: files.ca !== undefined,
    });
    const schemes = isShared ? ['http', 'https'] : ['https'];
    servers.push({ ...made, schemes, flag: '--https_port', port });
  }
  const urls: string[] = [];
  /** Connections that the servers no longer know. */
  const upgraded = new Set<Duplex>();
  let first = 0;
  for (const { server, schemes, flag, port } of servers) {
    server.maxConnections = maxConnections;
    server.on('request', counting);
    server.on('upgrade', (request, socket, head) => {
      upgraded.add(socket);
      socket.once('close', () => upgraded.delete(socket));
      // The server no longer handles the errors of this connection, such as a client that resets it.
      socket.on('error', () => socket.destroy());
      const upgrade = { request, socket, head };
      if (!refuses(request, () => answerOf(upgrade))) onUpgrade(upgrade);
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
    for (const scheme of schemes)
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
      for (const one of servers) one.destroyConnections();
      for (const socket of upgraded) socket.destroy();
      await Promise.all(closed);
    },
  };
}

/** True if one port takes both HTTP and TLS. */
export function sharesPort({ httpPort, tls }: Pick<ListenOptions, 'httpPort' | 'tls'>): boolean {
  return httpPort !== undefined && httpPort !== 0 && httpPort === tls?.port;
}

/** @returns a function that answers 400 to services without a certificate of the cluster, and returns true if it did */
async function serviceCheck() {
  const { clientProblem } = await import('../tls/listen.ts');
  return (request: IncomingMessage, answer: () => ServerResponse): boolean => {
    if (request.headers[VIA] === undefined && !isOfExecutor(request)) return false;
    const problem = clientProblem(request);
    if (problem === undefined) return false;
    const body = JSON.stringify({ message: `The scheduler refuses this service: ${problem}` });
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    answer()
      .writeHead(400, { ...headers, Connection: 'close' })
      .end(body);
    return true;
  };
}

/** @throws Error if they are not a certificate and its key */
export function checkCertificate({ cert, key }: TlsFiles): void {
  try {
    createSecureContext({ cert: readFileSync(cert ?? '', 'utf8'), key: readFileSync(key ?? '', 'utf8') });
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
