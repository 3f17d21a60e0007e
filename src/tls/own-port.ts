/** The port of a program for its administration: metrics and the like. */

import { createServer, type RequestListener, type Server } from 'node:http';
import { createTlsServer } from './listen.ts';
import { TlsMaterial } from './material.ts';
import type { ProgramTls } from './settings.ts';

export interface OwnPort {
  readonly server: Server;
  readonly scheme: 'http' | 'https';
  destroyConnections(): void;
}

/**
 * Does not listen yet. The mode `preferred` takes plain text and TLS on the same port.
 * @param warn called if a changed certificate can't be used
 * @throws MesosupError if the files can't be used
 */
export function createOwnPort(
  tls: ProgramTls,
  handler: RequestListener,
  warn: (message: string) => void,
): OwnPort {
  if (tls.mode === 'off') {
    const server = createServer(handler);
    return { server, scheme: 'http', destroyConnections: () => server.closeAllConnections() };
  }
  const material = new TlsMaterial(tls, warn);
  const plainToo = tls.mode === 'preferred';
  const made = createTlsServer({ material, plainToo, asksClients: false });
  made.server.on('request', handler);
  return { ...made, scheme: plainToo ? 'http' : 'https' };
}
