/**
 * Sends the client's requests with node:http and node:https. The global `fetch` takes 50 ms to load, longer than the
 * rest of a command's start, and knows certificates only for the entire process.
 */

import type { IncomingMessage } from 'node:http';
import http from 'node:http';
import { Readable } from 'node:stream';
import { type Answer, CONNECT_TIMEOUT, type Send, type SendOptions } from '../../client/api-client.ts';
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
}

interface HttpOptions {
  /** Certificates in PEM that servers are verified with. Default: the system's. */
  readonly ca?: string | undefined;
  readonly silentMs?: number;
  /** Names the proxies. Default: that of this process. */
  readonly environment?: NodeJS.ProcessEnv;
}

export function httpSend({ ca, silentMs = SILENT_MS, environment = process.env }: HttpOptions = {}): Send {
  let plain: Protocol | undefined;
  let secure: Promise<Protocol> | undefined;
  return async (url, options) => {
    if (url.startsWith('https:')) secure ??= loadSecure(ca, environment);
    else plain ??= protocolOf(http, environment);
    const protocol = url.startsWith('https:') ? await secure : plain;
    if (!protocol) throw new TypeError(`${url} has no protocol`);
    const message = await request(url, options, protocol, silentMs);
    if (options.redirect === 'error' && isRedirect(message)) {
      message.destroy();
      throw new Error('it redirects again');
    }
    return answerOf(message, options.signal);
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
  return protocolOf(await import('node:https'), environment, ca === undefined ? {} : { ca });
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
    sent.once('socket', (socket) => {
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
    sent.once('error', (error) => reject(signal.aborted ? signal.reason : error));
    sent.end(body);
  });
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
