/** Streams a request to the leading scheduler, and its answer back. */

import {
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  request,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Transport } from '../tls/connect.ts';
import { hasTls, isEncrypted, VIA } from './api/client-origin.ts';
import { ignoreRest } from './unread-body.ts';
import type { Upgrade } from './upgrade.ts';

/** Limits the time to connect, with TLS its handshake, too. There is no limit for the answer. */
const CONNECT_WITHIN_MS = 5000;
/** Headers that concern a single connection, in addition to those named in `Connection`. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

export interface Leader {
  /** `host:port` */
  readonly address: string;
  /** Aborts when this scheduler loses the leadership: it may never answer the requests that are still open. */
  readonly term: AbortSignal;
}

export interface Forwarding {
  /** `host:port` of this scheduler, sent to the leader. */
  readonly own: string;
  /** Set if the schedulers listen with TLS on the port of their addresses: connects to the leader. */
  readonly tls?: Transport;
  /**
   * Set if the schedulers listen with and without TLS on two ports: what came with TLS, such as a session's cookie, is
   * forwarded with TLS. All schedulers are expected to have the same HTTPS port.
   */
  readonly secure?: { readonly transport: Transport; readonly port: number };
}

/** @returns how a request is sent to the leader; undefined if the leader's address is invalid */
export function routeTo(
  { address }: Pick<Leader, 'address'>,
  { socket }: Pick<IncomingMessage, 'socket'>,
  { tls, secure }: Pick<Forwarding, 'tls' | 'secure'>,
):
  | {
      readonly host: string;
      readonly port: string;
      readonly origin: string;
      readonly transport?: Transport | undefined;
    }
  | undefined {
  const url = URL.parse(`http://${address}`);
  if (!url) return undefined;
  const bySecure = tls === undefined && isEncrypted(socket) ? secure : undefined;
  const transport = tls ?? bySecure?.transport;
  const port = bySecure ? String(bySecure.port) : url.port || '80';
  // A port that takes both gets what the client has come with.
  const hasTls = transport?.scheme === 'https' || (transport !== undefined && isEncrypted(socket));
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    origin: `${hasTls ? 'https' : 'http'}://${url.hostname}:${port}`,
    ...(transport && { transport }),
  };
}

/** @param upgrade the request's connection, if it is to be used for another protocol */
export function forwardRequest(
  incoming: IncomingMessage,
  answer: ServerResponse,
  leader: Leader,
  forwarding: Forwarding,
  upgrade?: Upgrade,
): void {
  const { own } = forwarding;
  if (incoming.headers[VIA] !== undefined) {
    answerUnavailable(
      answer,
      `The schedulers currently disagree about their leader (${own} received the request)`,
    );
    return;
  }
  const route = routeTo(leader, incoming, forwarding);
  if (!route) {
    answerUnavailable(answer, `The leading scheduler's address in ZooKeeper is not host:port`);
    return;
  }
  const { method } = incoming;
  const { host, port, transport } = route;
  const options: RequestOptions = {
    host,
    port,
    ...(method !== undefined && { method }),
    path: incoming.url ?? '/',
    // Unchanged: the leader compares Host with Origin, and needs the credentials.
    headers: {
      ...endToEndHeaders(incoming.headers),
      ...describeClient(incoming),
      ...(upgrade && { Connection: 'Upgrade', Upgrade: incoming.headers.upgrade }),
      [VIA]: own,
    },
    setHost: false,
    signal: leader.term,
  };
  // A new connection: a reused one could break during a request that must not be repeated.
  const single = transport ? { createConnection: transport.createConnection } : { agent: false };
  const outgoing = request({ ...options, ...single });
  let isConnected = false;
  const fail = (reason: string): void => {
    outgoing.destroy();
    if (answer.headersSent) {
      answer.destroy();
      return;
    }
    const mayBeDone = isConnected && method !== 'GET' && method !== 'HEAD';
    const what = leader.term.aborted
      ? `${leader.address} is no longer the leader and did not answer`
      : `The leading scheduler, ${leader.address}, ${isConnected ? 'did not answer' : "can't be reached"}: ${reason}`;
    answerUnavailable(answer, what, mayBeDone);
  };
  connectInTime(
    outgoing,
    // Before its handshake, the leader has received nothing. A transport's connections have it behind them.
    transport === undefined,
    () => {
      isConnected = true;
    },
    () => fail('no connection within 5 s'),
  );
  outgoing.on('error', ({ message }) => {
    // After the headers, the error handler of the response detects an incomplete answer.
    if (!answer.headersSent) fail(message);
  });
  outgoing.on('response', (response) => {
    ignoreRest(incoming, answer);
    // Lets clients tell a forwarded answer from the leader's own.
    answer.writeHead(response.statusCode ?? 502, { ...endToEndHeaders(response.headers), [VIA]: own });
    answer.flushHeaders();
    response.on('error', ({ message }) => fail(message));
    response.pipe(answer);
  });
  if (upgrade) {
    outgoing.on('upgrade', (response, socket, head) => {
      answer.detachSocket(upgrade.socket as Socket);
      join(upgrade, response, socket, head, leader.term);
    });
  }
  // The client has disconnected.
  answer.on('close', () => outgoing.destroy());
  if (upgrade) outgoing.end();
  else incoming.pipe(outgoing);
}

/** Headers that tell the leader about the client's connection, with the usual names. */
function describeClient(incoming: IncomingMessage): Record<string, string> {
  const before = incoming.headers['x-forwarded-for'];
  const own = incoming.socket.remoteAddress ?? 'unknown';
  return {
    'x-forwarded-for': before === undefined ? own : `${String(before)}, ${own}`,
    'x-forwarded-proto': hasTls(incoming) ? 'https' : 'http',
  };
}

/** Passes on the leader's consent, and then all bytes in both directions. */
function join(
  client: Upgrade,
  { statusMessage, rawHeaders }: IncomingMessage,
  leader: Duplex,
  head: Buffer,
  term: AbortSignal,
): void {
  const lines = [`HTTP/1.1 101 ${statusMessage}`];
  for (let i = 0; i < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  client.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  client.socket.write(head);
  leader.write(client.head);
  for (const [from, to] of [
    [client.socket, leader],
    [leader, client.socket],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
  const end = (): void => void leader.destroy();
  term.addEventListener('abort', end);
  leader.once('close', () => term.removeEventListener('abort', end));
}

/**
 * Answers 503, with what to do.
 * @param mayBeDone the request may have changed something, so that clients must not simply send it again
 */
export function answerUnavailable(answer: ServerResponse, message: string, mayBeDone = false): void {
  ignoreRest(answer.req, answer);
  const next = mayBeDone
    ? 'the change may have been made: check before you send it again'
    : 'try again in a moment';
  const body = JSON.stringify({ message: `${message}; ${next}` });
  answer.writeHead(503, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...(!mayBeDone && { 'Retry-After': '1' }),
  });
  answer.end(body);
}

function connectInTime(
  outgoing: ClientRequest,
  waits: boolean,
  onConnected: () => void,
  onLate: () => void,
): void {
  const tooLate = setTimeout(onLate, CONNECT_WITHIN_MS);
  const done = (): void => clearTimeout(tooLate);
  const connected = (): void => {
    done();
    onConnected();
  };
  outgoing.on('socket', (socket) => {
    if (waits) socket.on('connect', connected);
    else connected();
  });
  outgoing.on('close', done);
}

function endToEndHeaders(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const named = (headers.connection ?? '').toLowerCase().split(/\s*,\s*/);
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}
