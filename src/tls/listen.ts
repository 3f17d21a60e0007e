/** A server of HTTP with TLS on its port, which may take plain text on the same port. */

import type { IncomingMessage, ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { factsOf } from './certificate.ts';
import { explainClient } from './failure.ts';
import type { TlsMaterial } from './material.ts';

/** The first byte of a handshake: the content type of a TLS record (RFC 8446, 5.1). No request of HTTP begins with it. */
const HANDSHAKE = 0x16;
/** Limit for the first byte, and for the handshake. */
const BEGINS_WITHIN_MS = 20_000;
const END_WITHIN_MS = 2000;
const ONLY_TLS =
  'This port accepts only TLS. Use https://, and verify the server with the CA of the cluster: mesosup certs trust\n';

export interface TlsServerOptions {
  readonly http?: ServerOptions;
  /** Read again when its files change. It must have a certificate and a key. */
  readonly material: TlsMaterial;
  /** True if the port takes plain text, too. Without, plain text is answered with 400 and what to use instead. */
  readonly plainToo: boolean;
  /** True if clients are asked for a certificate; see `clientProblem`. */
  readonly asksClients: boolean;
}

export interface TlsServer {
  readonly server: Server;
  /** Ends all connections, including connections without a request. */
  destroyConnections(): void;
}

/** Does not listen yet. @throws MesosupError if the files can't be used */
export function createTlsServer({ http, material, plainToo, asksClients }: TlsServerOptions): TlsServer {
  let { context, options } = material.current();
  const server = createServer({
    ...http,
    ...options,
    handshakeTimeout: BEGINS_WITHIN_MS,
    requestCert: asksClients,
    // Refused with an answer that says why, by `clientProblem`: Node would only end the connection.
    rejectUnauthorized: false,
  });
  const sockets = new Set<Socket>();
  const beginTls = server.listeners('connection');
  server.removeAllListeners('connection');
  const takeTls = (socket: Socket): void => {
    const now = material.current();
    if (now.context !== context) {
      ({ context, options } = now);
      server.setSecureContext(options);
    }
    for (const begin of beginTls) begin.call(server, socket);
  };
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const ignore = (): void => void socket.destroy();
    socket.on('error', ignore);
    const late = setTimeout(ignore, BEGINS_WITHIN_MS);
    socket.once('close', () => clearTimeout(late));
    socket.once('data', (first: Buffer) => {
      clearTimeout(late);
      socket.pause();
      socket.unshift(first);
      socket.off('error', ignore);
      if (first[0] === HANDSHAKE) {
        takeTls(socket);
        return;
      }
      // The listener of this event serves HTTP on the connection, with the server's limits.
      if (plainToo) server.emit('secureConnection', socket);
      else refusePlainText(socket);
      socket.resume();
    });
  });
  return {
    server,
    destroyConnections: () => {
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function refusePlainText(socket: Socket): void {
  const head = ['HTTP/1.1 400 Bad Request', 'Content-Type: text/plain; charset=utf-8', 'Connection: close'];
  socket.on('error', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\nContent-Length: ${ONLY_TLS.length}\r\n\r\n${ONLY_TLS}`);
  // Reads what the client still sends: otherwise the system would discard the answer.
  const late = setTimeout(() => socket.destroy(), END_WITHIN_MS);
  socket.once('close', () => clearTimeout(late));
}

/**
 * @returns why a client is refused that needs a certificate: it came without TLS, without a certificate, or with one that
 *   the server's CA does not verify. Undefined if its certificate is good.
 */
export function clientProblem({ socket }: Pick<IncomingMessage, 'socket'>): string | undefined {
  if (!('encrypted' in socket)) return explainClient(undefined, undefined, Date.now());
  const { authorized, authorizationError } = socket as TLSSocket;
  if (authorized) return undefined;
  const certificate = (socket as TLSSocket).getPeerX509Certificate();
  return explainClient(String(authorizationError ?? ''), certificate && factsOf(certificate), Date.now());
}
