/**
 * The HTTP client for all Mesos calls, on node:http. It handles three cases that general clients do not: Mesos answers
 * 415 unless Content-Type is exactly `application/json`; an event stream may be silent for half an hour, so bodies have
 * no timeout; and a master that does not lead answers 307 with a protocol-relative Location, to which the same body
 * must be sent again.
 */

import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { MesosupError } from '../errors/mesosup-error.ts';
import type { Transport } from '../tls/connect.ts';
import type { Timer } from './retry.ts';

/** More redirects indicate a loop: each master redirects to the leader that it knows. */
const MAX_REDIRECTS = 5;
/** Limit of the error text that is read and shown. */
const MAX_TEXT_BYTES = 64 * 1024;
const CLOSED = 'the connection was closed';

/** A call was answered with an error, or could not be sent. */
export class MesosCallError extends MesosupError {
  override name = 'MesosCallError';
  /** The HTTP status; undefined if there was no answer (not connected, connection refused or reset). */
  readonly status: number | undefined;
  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** A principal and its secret for HTTP basic authentication. */
export interface Credential {
  principal: string;
  secret: string;
  /** Tried in turn if Mesos refuses `secret`, while it changes from one to another. */
  others?: readonly string[];
}

export interface HttpRequest {
  url: URL;
  /** POST by default. */
  method?: 'GET' | 'POST';
  /** JSON text. */
  body?: string;
  headers?: Readonly<Record<string, string>>;
  /** Connects with TLS; of a pool, it is the pool's (`createPool`). Default: plain text. */
  transport?: Transport | undefined;
  /** Connection pool to use. Default: a new connection. */
  agent?: Agent;
  /** Send over this Unix domain socket instead of the URL's host and port. */
  socketPath?: string;
  /** Ends the request, and the body of its answer, when aborted. */
  signal?: AbortSignal;
  /** True if the request may be sent twice: it is repeated once if a kept-alive connection has been closed. */
  repeatable?: boolean;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** The URL that answered, after redirects. */
  url: URL;
  /** Must be read or destroyed by the caller. */
  body: IncomingMessage;
}

/** Builds the value of the Authorization header for each secret of the principal. */
export function basicAuthorizations({ principal, secret, others = [] }: Credential): string[] {
  return [secret, ...others].map((one) => basicAuthorization({ principal, secret: one }));
}

/** Builds the value of the Authorization header. */
export function basicAuthorization(credential: Credential): string {
  return `Basic ${Buffer.from(`${credential.principal}:${credential.secret}`, 'utf8').toString('base64')}`;
}

/**
 * Sends a request and follows redirects. Resolves at the answer's headers, with any status.
 * @throws MesosCallError without a status if there was no answer, and with 307 for a redirect loop
 */
export async function send(request: HttpRequest): Promise<HttpAnswer> {
  let url = request.url;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const body = await sendOnce(request, url);
    const status = body.statusCode ?? 0;
    const location = body.headers.location;
    if (status !== 307 || location === undefined) return { status, headers: body.headers, url, body };
    body.resume();
    url = redirected(url, location);
  }
  throw new MesosCallError(
    `${request.url}: redirected more than ${MAX_REDIRECTS} times, the last time to ${url.host}. ` +
      'The masters disagree about their leader. Check that all masters use the same ZooKeeper address',
    307,
  );
}

/** Reads the rest of an answer as text, up to 64 KiB. */
export async function readText(body: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_TEXT_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, MAX_TEXT_BYTES);
}

/** Time that a pending call may still wait for its answer after the end of its subscription. */
const LAST_ANSWER_MS = 1000;

/** One kept-alive connection for calls, which are sent strictly in order. */
export interface CallConnection {
  /**
   * Sends a call after all earlier calls were answered.
   * @throws MesosCallError unless the answer is 202, or 200 (for UPDATE_FRAMEWORK)
   */
  send(request: Omit<HttpRequest, 'agent' | 'signal'>): Promise<void>;
  /**
   * Rejects waiting calls. The pending call may still get its answer within a second, since the answer to a TEARDOWN
   * races the end of the subscription.
   */
  end(): void;
  /** Rejects pending and waiting calls immediately. */
  close(): void;
}

/** @returns a pool of connections that are kept open */
export function createPool(maxSockets: number, transport: Transport | undefined): Agent {
  const pool = new Agent({ keepAlive: true, maxSockets });
  if (transport) Object.assign(pool, { createConnection: transport.createConnection });
  return pool;
}

interface WaitingCall {
  readonly request: Omit<HttpRequest, 'agent' | 'signal'>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function openCallConnection(timer: Timer, transport?: Transport): CallConnection {
  const agent = createPool(1, transport);
  const abort = new AbortController();
  // In order. A chain of promises would take several times as much memory, and thousands of calls may wait.
  const waiting = new Set<WaitingCall>();
  let working: Promise<void> | undefined;
  let ended = false;
  const work = async (): Promise<void> => {
    for (const one of waiting) {
      waiting.delete(one);
      const { request, resolve, reject } = one;
      if (ended) reject(new MesosCallError(`${request.url}: ${CLOSED}`));
      else await sendCall({ ...request, agent, signal: abort.signal }).then(resolve, reject);
    }
    working = undefined;
  };
  const close = () => {
    ended = true;
    abort.abort();
    agent.destroy();
  };
  return {
    send(request) {
      return new Promise((resolve, reject) => {
        if (ended) throw new MesosCallError(`${request.url}: ${CLOSED}`);
        waiting.add({ request, resolve, reject });
        working ??= work();
      });
    },
    end() {
      ended = true;
      const cancel = timer(LAST_ANSWER_MS, close);
      Promise.resolve(working).then(() => {
        cancel();
        close();
      });
    },
    close,
  };
}

async function sendCall(request: HttpRequest): Promise<void> {
  const answer = await send(request);
  let text: string;
  try {
    text = await readText(answer.body);
  } catch (error) {
    throw new MesosCallError(`${answer.url}: the answer was interrupted: ${messageOf(error)}`);
  }
  if (answer.status !== 202 && answer.status !== 200) {
    throw new MesosCallError(describeRefusal(answer, text), answer.status);
  }
}

/** Describes a refusal: the URL, the status, Mesos' text and a hint. */
export function describeRefusal(answer: Pick<HttpAnswer, 'status' | 'url'>, text: string): string {
  const detail = text.trim() === '' ? '' : `: ${text.trim()}`;
  const hint =
    answer.status === 401 ? ' (check the principal and secret against the credentials of Mesos)' : '';
  return `${answer.url} answered ${answer.status}${detail}${hint}`;
}

function redirected(from: URL, location: string): URL {
  try {
    return new URL(location, from);
  } catch {
    throw new MesosCallError(`${from}: redirected to "${location}", which is not an address`, 307);
  }
}

async function sendOnce(request: HttpRequest, url: URL): Promise<IncomingMessage> {
  for (let again = request.repeatable === true; ; again = false) {
    const outcome = await attempt(request, url);
    if ('answer' in outcome) return outcome.answer;
    if (request.signal?.aborted) throw new MesosCallError(`${url}: ${CLOSED}`);
    if (!again || !outcome.stale) throw new MesosCallError(`${url}: ${messageOf(outcome.error)}`);
  }
}

type Outcome = { answer: IncomingMessage } | { error: Error; stale: boolean };

function attempt(request: HttpRequest, url: URL): Promise<Outcome> {
  return new Promise((resolve) => {
    const body = request.body === undefined ? undefined : Buffer.from(request.body, 'utf8');
    const outgoing = httpRequest({
      method: request.method ?? 'POST',
      ...(request.socketPath === undefined
        ? {
            host: url.hostname.replace(/^\[|\]$/g, ''),
            port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
            ...(request.transport && { createConnection: request.transport.createConnection }),
          }
        : { socketPath: request.socketPath }),
      path: `${url.pathname}${url.search}`,
      headers: {
        Accept: 'application/json',
        ...(body && { 'Content-Type': 'application/json', 'Content-Length': body.length }),
        ...request.headers,
      },
      // Node takes the transport's connection only without any agent.
      agent: request.agent ?? (request.transport ? undefined : false),
      ...(request.signal && { signal: request.signal }),
    });
    outgoing.once('response', (answer) => resolve({ answer }));
    // A transport may still be connecting, which nothing ends but its own time limit.
    const { signal } = request;
    const giveUp = () => resolve({ error: new Error(CLOSED), stale: false });
    signal?.addEventListener('abort', giveUp);
    // Thousands of requests have the same signal, that of their session.
    outgoing.once('close', () => signal?.removeEventListener('abort', giveUp));
    // The listener stays: errors after the answer also occur on its body, and must not end the process here.
    outgoing.on('error', (error) => resolve({ error, stale: outgoing.reusedSocket }));
    outgoing.end(body);
  });
}

/** Returns an error's message; the first one if several addresses of a host were tried. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
