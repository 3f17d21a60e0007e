/** Connects to servers: with TLS, with TLS or plain text, or with plain text. */

import { once } from 'node:events';
import type { ClientRequestArgs } from 'node:http';
import { connect as connectPlainly, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectByTls, type TLSSocket } from 'node:tls';
import { MesosupError } from '../errors/mesosup-error.ts';
import { watchCertificate } from './certificate.ts';
import { type CertificateFacts, explainTls } from './failure.ts';
import { type Material, TlsMaterial } from './material.ts';
import type { ClientTls } from './settings.ts';

/** From the first packet to the end of the handshake. */
const CONNECT_WITHIN_MS = 5000;

/** TLS failed. The message explains it, with what to do: it also gets into logs. Nothing was sent to the server. */
export class TlsError extends MesosupError {
  override name = 'TlsError';
  /** Of Node. */
  readonly code: string;
  constructor(message: string, code: string) {
    super(message, { failure: code });
    this.code = code;
  }
}

export interface Transport {
  /** For addresses in messages, and for the URLs that requests are made with. */
  readonly scheme: 'http' | 'https';
  /** The option of requests of `node:http`, and of its agents. */
  readonly createConnection: NonNullable<ClientRequestArgs['createConnection']>;
}

export interface TransportOptions {
  /** Called if files can't be used, or if plain text is used where TLS was tried; again only if something changes. */
  readonly onProblem?: (message: string) => void;
}

/** @param tls its files are read again when they change */
export function createTransport(tls: ClientTls, { onProblem = () => {} }: TransportOptions = {}): Transport {
  const material = new TlsMaterial(tls, onProblem);
  /** By server, since the last connection that needed no plain text. */
  const problems = new Map<string, string>();
  const open = async (options: ClientRequestArgs): Promise<Socket> => {
    const address = { host: options.host ?? 'localhost', port: Number(options.port) };
    if (tls.mode === 'off') return connectPlainly(address);
    const peer = nameOf(address);
    try {
      const socket = await connectSecurely(address, material, tls.verifies ?? true);
      problems.delete(peer);
      return socket;
    } catch (error) {
      if (tls.mode === 'required' || !(error instanceof MesosupError)) throw error;
      if (problems.get(peer) !== error.message) onProblem(`plain text is used: ${error.message}`);
      problems.set(peer, error.message);
      const socket = connectPlainly(address);
      await once(socket, 'connect');
      return socket;
    }
  };
  return {
    scheme: tls.mode === 'required' ? 'https' : 'http',
    createConnection: (options, callback) => {
      open(options).then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, undefined as unknown as Duplex),
      );
      return undefined;
    },
  };
}

interface Address {
  readonly host: string;
  readonly port: number;
}

function nameOf({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** @throws TlsError, or the error of the system if the server can't be reached */
function connectSecurely(address: Address, material: TlsMaterial, verifies: boolean): Promise<TLSSocket> {
  const { context, own } = material.current();
  const { host, port } = address;
  const peer = nameOf(address);
  return new Promise((resolve, reject) => {
    let isConnected = false;
    const socket = connectByTls({
      host,
      port,
      secureContext: context,
      // An address is no name that a server can be asked for. The certificate is then checked for the host.
      servername: isIP(host) ? '' : host,
      rejectUnauthorized: verifies,
    });
    const certificate = watchCertificate(socket);
    const explained = (error: NodeJS.ErrnoException): Error =>
      tlsErrorOf(error, { peer, certificate: certificate(), own, caFile: material.files.ca }) ?? error;
    const late = setTimeout(() => {
      const code = isConnected ? 'TLS_TIMEOUT' : 'ETIMEDOUT';
      const what = isConnected ? 'no TLS' : 'no connection';
      socket.destroy(Object.assign(new Error(`${what} within ${CONNECT_WITHIN_MS / 1000} s`), { code }));
    }, CONNECT_WITHIN_MS);
    const failed = (error: NodeJS.ErrnoException): void => {
      clearTimeout(late);
      // Before the connection is there, the error is not one of TLS.
      reject(isConnected ? explained(error) : error);
    };
    socket.once('connect', () => {
      isConnected = true;
    });
    socket.once('error', failed);
    socket.once('secureConnect', () => {
      clearTimeout(late);
      socket.off('error', failed);
      // With TLS 1.3, a server refuses a client's certificate after the client's part of the handshake.
      socket.prependListener('error', (error: NodeJS.ErrnoException) => {
        if (!error.code?.startsWith('ERR_SSL_')) return;
        Object.assign(error, { message: explained(error).message });
      });
      resolve(socket);
    });
  });
}

interface TlsParties {
  /** `host:port` */
  readonly peer: string;
  readonly certificate: CertificateFacts | undefined;
  readonly own?: Material['own'];
  readonly caFile?: string | undefined;
}

/** @returns undefined for an error that has nothing to do with TLS */
function tlsErrorOf(error: NodeJS.ErrnoException, parties: TlsParties): TlsError | undefined {
  const { code = '', message } = error;
  const failure = explainTls({ ...parties, code, message, now: Date.now() });
  return failure && new TlsError(`${failure.message}. ${failure.remedy}`, code);
}
