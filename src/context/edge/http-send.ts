/**
 * Sends the client's requests with node:http and node:https. The global `fetch` takes 50 ms to load, longer than the
 * rest of a command's start, and knows certificates only for the entire process.
 */

import type { IncomingMessage } from 'node:http';
import http from 'node:http';
import { Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type Answer, CONNECT_TIMEOUT, type Send, type SendOptions } from '../../client/api-client.ts';
import type { Transport } from '../../tls/connect.ts';
import { type CertificateFacts, explainTls } from '../../tls/failure.ts';
import { proxyEnvironment } from './proxy.ts';

const CONNECT_MS = 10_000;
/** How long nothing may arrive, also of a stream: it has a sign of life every 10 s. The same as with `fetch`. */
const SILENT_MS = 300_000;

/** The module for `http:` or `https:` URLs, with an agent that keeps connections. */
interface Protocol {
  readonly request: typeof http.request;
  readonly agent: http.Agent;
  /** Makes a new connection for each request. */
  readonly single: http.Agent;
  readonly options: { readonly ca?: string };
  /** @returns what returns the server's certificate after the handshake */
  readonly certificateOf?: (socket: TLSSocket) => () => CertificateFacts | undefined;
}

interface HttpOptions {
  /** Certificates in PEM that servers are verified with. Default: the system's. */
  readonly ca?: string | undefined;
  /** The file of these certificates, for errors. */
  readonly caFile?: string | undefined;
  /** Makes the connections to a URL, instead of Node and the proxies. */
  readonly transport?: (url: URL) => Transport;
  readonly silentMs?: number;
  /** Names the proxies. Default: that of this process. */
  readonly environment?: NodeJS.ProcessEnv;
}

export function httpSend(options: HttpOptions = {}): Send {
  const { ca, caFile, transport, silentMs = SILENT_MS, environment = process.env } = options;
  const own = transport && transported(transport);
  let plain: Protocol | undefined;
  let secure: Promise<Protocol> | undefined;
  return async (url, options) => {
    if (own) return await answered(url, options, own(new URL(url)));
    if (url.startsWith('https:')) secure ??= loadSecure(ca, environment);
    else plain ??= protocolOf(http, environment);
    const protocol = url.startsWith('https:') ? await secure : plain;
    if (!protocol) throw new TypeError(`${url} has no protocol`);
    return await answered(url, options, protocol);
  };
  async function answered(url: string, sent: SendOptions, protocol: Protocol): Promise<Answer> {
    const message = await request(url, sent, protocol, silentMs, caFile);
    if (sent.redirect === 'error' && isRedirect(message)) {
      message.destroy();
      throw new Error('it redirects again');
    }
    return answerOf(message, sent.signal);
  }
}

/** Keeps connections, like Node's own agents, but for each protocol those of its transport. */
function transported(transport: (url: URL) => Transport): (url: URL) => Protocol {
  const made = new Map<string, Protocol>();
  return (url) => {
    const { protocol } = url;
    const known = made.get(protocol);
    if (known) return known;
    const { createConnection } = transport(url);
    const agent = (keepAlive: boolean): http.Agent =>
      Object.assign(new http.Agent({ keepAlive }), {
        createConnection,
        protocol,
        defaultPort: protocol === 'https:' ? 443 : 80,
      });
    const created = { request: http.request, agent: agent(true), single: agent(false), options: {} };
    made.set(protocol, created);
    return created;
  };
}

/** For a connection of its own to this URL, for example of a WebSocket. */
export async function agentFor(
  url: string,
  { ca, environment = process.env }: HttpOptions,
): Promise<http.Agent> {
  const protocol = /^(https|wss):/.test(url)
    ? await loadSecure(ca, environment)
    : protocolOf(http, environment);
  return protocol.single;
}

/** Loads TLS only if it is needed, which takes 17 ms. */
async function loadSecure(ca: string | undefined, environment: NodeJS.ProcessEnv): Promise<Protocol> {
  const [https, { watchCertificate }] = await Promise.all([
    import('node:https'),
    import('../../tls/certificate.ts'),
  ]);
  const protocol = protocolOf(https, environment, ca === undefined ? {} : { ca });
  return Object.assign(protocol, { certificateOf: watchCertificate });
}

function protocolOf(
  { Agent, request }: { Agent: new (options: http.AgentOptions) => http.Agent; request: typeof http.request },
  environment: NodeJS.ProcessEnv,
  options: Protocol['options'] = {},
): Protocol {
  const all = { proxyEnv: proxyEnvironment(environment), ...options };
  let single: http.Agent | undefined;
  return {
    request,
    agent: new Agent({ ...all, keepAlive: true }),
    // Most commands never need it.
    get single() {
      single ??= new Agent(all);
      return single;
    },
    options,
  };
}

function isRedirect({ statusCode = 0, headers }: IncomingMessage): boolean {
  return statusCode >= 300 && statusCode < 400 && headers.location !== undefined;
}

/** @throws the signal's reason, or Node's error with its code */
function request(
  url: string,
  { method, headers, body, signal }: SendOptions,
  protocol: Protocol,
  silentMs: number,
  caFile: string | undefined,
): Promise<IncomingMessage> {
  // A server may close a kept connection at any time, and then it is not known whether a change has arrived.
  const agent = method === 'GET' || method === 'HEAD' ? protocol.agent : protocol.single;
  const own = { Accept: '*/*', ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }) };
  const options = {
    ...protocol.options,
    agent,
    method,
    headers: { ...own, ...headers },
    signal,
    timeout: silentMs,
  };
  return new Promise((resolve, reject) => {
    const sent = protocol.request(url, options);
    const timer = setTimeout(() => {
      const message = `no connection in ${CONNECT_MS / 1000} s`;
      sent.destroy(Object.assign(new Error(message), { code: CONNECT_TIMEOUT }));
    }, CONNECT_MS);
    const connected = () => clearTimeout(timer);
    let certificate = (): CertificateFacts | undefined => undefined;
    sent.once('socket', (socket) => {
      // TLS is loaded by now; naming it here would load it for plain text, too. A kept connection has its handshake behind it.
      if ('encrypted' in socket && socket.connecting)
        certificate = protocol.certificateOf?.(socket as TLSSocket) ?? certificate;
      if (socket.connecting) socket.once('connect', connected);
      else connected();
    });
    sent.once('close', connected);
    let answer: IncomingMessage | undefined;
    // The server's host may be gone, and nothing would tell. While nobody reads, nothing can arrive.
    sent.on('timeout', () => {
      if (!answer?.readableLength) sent.destroy(new Error(`nothing arrived for ${silentMs / 1000} s`));
    });
    sent.once('response', (message) => {
      answer = message;
      resolve(message);
    });
    sent.once('error', (error: NodeJS.ErrnoException) => {
      if (signal.aborted) return reject(signal.reason);
      reject(explained(error, new URL(url), certificate(), caFile));
    });
    sent.end(body);
  });
}

/** Says what is wrong with TLS, and what to do. The error keeps its code. */
function explained(
  error: NodeJS.ErrnoException,
  { protocol, hostname, port }: URL,
  certificate: CertificateFacts | undefined,
  caFile: string | undefined,
): Error {
  const { code = '', message, name } = error;
  // A connection without an answer may have many causes; a transport has explained its own errors.
  const isOfTls = /^(ERR_SSL|ERR_TLS|EPROTO)/.test(code) || /CERT|ISSUER|SIGNATURE/.test(code);
  if (protocol !== 'https:' || name === 'TlsError' || !isOfTls) return error;
  const peer = `${hostname}:${port || 443}`;
  const failure = explainTls({ code, message, peer, certificate, caFile, now: Date.now() });
  return failure ? Object.assign(error, { message: `${failure.message}. ${failure.remedy}` }) : error;
}

function answerOf(message: IncomingMessage, signal: AbortSignal): Answer {
  const { statusCode: status = 0, statusMessage: statusText = '', headers } = message;
  return {
    ok: status >= 200 && status < 300,
    status,
    statusText,
    type: 'basic',
    headers: {
      get: (name) => {
        const value = headers[name.toLowerCase()];
        return value === undefined ? null : [value].flat().join(', ');
      },
    },
    text: async () => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of message) chunks.push(chunk);
      } catch (error) {
        throw signal.aborted ? signal.reason : error;
      }
      return Buffer.concat(chunks).toString('utf8');
    },
    get body() {
      return Readable.toWeb(message) as ReadableStream<Uint8Array>;
    },
  };
}
