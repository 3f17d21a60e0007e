/**
 * The client of the scheduler's API, for commands and for pages in a browser: it uses only `fetch` and timers. It has no
 * list of operations or types of its own: see operation-types.ts.
 */

import { UsageError } from '../errors/mesosup-error.ts';
import { parseJson } from '../json.ts';
import { BAD_CERTIFICATE, UNSENT_BY_TLS } from '../tls/failure.ts';
import { ApiError, type Remedies, refusalOf } from './api-error.ts';
import type { AnswerOf, Input, Method, PathOf, QueryValue } from './operation-types.ts';
import { EventDecoder, type ServerSentEvent } from './server-events.ts';

export interface ClientOptions {
  /** URLs of the cluster's schedulers. Each one passes requests on to the leader; one that does not answer is left out. */
  readonly urls: readonly string[];
  /** The value of the `Authorization` header. */
  readonly authorization?: string | undefined;
  /** Default: the global `fetch`. */
  readonly fetch?: Send;
  /** What answers at the URLs, for messages. Default: `scheduler`. */
  readonly server?: string;
  /** What to do about failures. Default: what to do for a cluster of a context. */
  readonly remedies?: Remedies;
}

/** The part of `fetch` that the client uses. */
export type Send = (url: string, options: SendOptions) => Promise<Answer>;

export interface SendOptions {
  readonly method: string;
  readonly redirect: 'manual' | 'follow' | 'error';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
}

/** The part of an answer of `fetch` that the client and its users need. */
export interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  /** `opaqueredirect` for a redirect whose target a browser does not show. */
  readonly type: string;
  readonly headers: { get(name: string): string | null };
  readonly body: ReadableStream<Uint8Array> | null;
  text(): Promise<string>;
}

export interface Limits {
  readonly signal?: AbortSignal;
  /** Time in milliseconds in which a request that reads is repeated while no scheduler answers it. Default: 5000. */
  readonly patienceMs?: number;
  /** Time in milliseconds until the answer must have begun. Default: 30000 for a request that reads; no limit for others. */
  readonly answerMs?: number;
  /** True: the request changes nothing if it is sent twice, so it is repeated like one that reads. */
  readonly isHarmless?: boolean;
}

interface Sent extends Limits {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

const PATIENCE_MS = 5000;
const ANSWER_MS = 30_000;
const RETRY_MS = 250;
const MAX_RETRY_MS = 2000;

const CHECK_CONTEXT =
  'Check that it runs, and that the URL of the context is right ("mesosup context show").';

/** The code of an error of `Send` when no connection was made in time. */
export const CONNECT_TIMEOUT = 'CONNECT_TIMEOUT';

/** Codes of Node's errors for requests that were not sent. Browsers name no reasons. */
const UNSENT = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['UND_ERR_CONNECT_TIMEOUT', CONNECT_TIMEOUT, 'ERR_PROXY_TUNNEL'],
  ...UNSENT_BY_TLS,
]);

export class ApiClient {
  readonly #options: ClientOptions;
  readonly #urls: readonly string[];
  /** The scheduler that answered last. */
  #current = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    // Users may write the scheme in capitals, too; whether there is TLS must be known.
    const plainly = (url: string) =>
      url.replace(/^\w+:/, (scheme) => scheme.toLowerCase()).replace(/\/+$/, '');
    this.#urls = options.urls.map(plainly);
    if (this.#urls.length === 0) throw new TypeError('a client needs a URL');
  }

  /** The URL of the scheduler that answered last, or of the first one. */
  get url(): string {
    return this.#urls[this.#current] ?? '';
  }

  /** @throws ApiError if the request is refused or can't be sent */
  async call<M extends Method, P extends PathOf<M>>(
    method: M,
    path: P,
    input: Input<M, P> = {},
    limits: Limits = {},
  ): Promise<AnswerOf<M, P>> {
    const { status, text } = await this.#read({ ...limits, ...requestOf(method, path, input) });
    if (status === 204 || text === '') return undefined as AnswerOf<M, P>;
    const json = parseJson(text);
    if (json === undefined) {
      throw new ApiError(`${this.url} does not answer like a ${this.#server}`, {
        remedy: this.#options.remedies?.unreachable,
      });
    }
    return json as AnswerOf<M, P>;
  }

  /** Requests the text form of an answer. @throws ApiError */
  async text<P extends PathOf<'GET'>>(
    path: P,
    input: Input<'GET', P> = {},
    limits: Limits = {},
  ): Promise<string> {
    const headers = { Accept: 'text/plain' };
    return (await this.#read({ ...limits, ...requestOf('GET', path, input), headers })).text;
  }

  /** Sends any request and returns the answer, also a refusal. @throws ApiError if it can't be sent */
  send(request: Sent): Promise<Answer> {
    return this.#send(request);
  }

  /**
   * Reads a stream of events until it ends. `onOpen` is called for each connection. After an interruption the stream
   * continues after the last event, on another scheduler if necessary, as long as one answers within the patience.
   * @param endsWith types of the event after which the stream is complete; without, it has no end
   * @param awaits true: the beginning has the patience of a continuation, for a leader that has not found the agents yet
   * @throws ApiError
   */
  async *events<P extends PathOf<'GET'>>(
    path: P,
    input: Input<'GET', P> = {},
    limits: Limits & {
      readonly endsWith?: readonly string[];
      readonly onOpen?: () => void;
      readonly awaits?: boolean | undefined;
    } = {},
  ): AsyncGenerator<ServerSentEvent> {
    const { endsWith = [], onOpen, awaits, signal, patienceMs = PATIENCE_MS } = limits;
    let last = '';
    let interruptedAt = awaits ? Date.now() : Number.NEGATIVE_INFINITY;
    for (let pause = RETRY_MS; ; pause = Math.min(2 * pause, MAX_RETRY_MS)) {
      const headers = { Accept: 'text/event-stream', ...(last !== '' && { 'Last-Event-ID': last }) };
      const request = { ...limits, ...requestOf('GET', path, input), headers };
      const isLate = () => Date.now() > interruptedAt + patienceMs;
      const response = await this.#accepted(request).catch((error: unknown) => {
        if (isPassing(error) && !isLate()) return undefined;
        throw error;
      });
      if (response) {
        onOpen?.();
        const decoder = new EventDecoder();
        try {
          for await (const event of eventsIn(response, decoder)) {
            pause = RETRY_MS;
            yield event;
            if (endsWith.includes(event.type)) return;
          }
        } catch {
          if (signal?.aborted) throw signal.reason;
        }
        interruptedAt = Date.now();
        // A new connection may have had none.
        if (decoder.lastId !== '') last = decoder.lastId;
      }
      await sleep(pause, signal);
    }
  }

  /**
   * What a WebSocket needs: browsers authenticate by other means than a header.
   * @param path of an answer of this scheduler
   */
  webSocket(path: string): { readonly url: string; readonly headers: Readonly<Record<string, string>> } {
    const { authorization } = this.#options;
    return {
      url: this.url.replace(/^http/, 'ws') + path,
      headers: { ...(authorization !== undefined && { Authorization: authorization }) },
    };
  }

  /** Reads an entire answer. A scheduler may end in the middle of it. */
  async #read(request: Sent): Promise<{ readonly status: number; readonly text: string }> {
    const { patienceMs = PATIENCE_MS, signal } = request;
    const end = Date.now() + patienceMs;
    for (;;) {
      const response = await this.#accepted(request);
      const { url } = this;
      try {
        return { status: response.status, text: await response.text() };
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        const { code, message } = reasonOf(error);
        if (!isRead(request)) throw unanswered(url, message);
        if (Date.now() + RETRY_MS > end) throw this.#unreachable(url, message, code);
      }
      await sleep(RETRY_MS, signal);
    }
  }

  async #accepted(request: Sent): Promise<Answer> {
    const response = await this.#send(request);
    if (response.ok) return response;
    // Without its text, the status is enough.
    const { url } = this;
    const text = await response.text().catch(() => '');
    throw refusalOf({ url, status: response.status, text, remedies: this.#options.remedies });
  }

  async #send(request: Sent): Promise<Answer> {
    const { patienceMs = PATIENCE_MS, signal } = request;
    const reads = isRead(request);
    const end = Date.now() + patienceMs;
    for (let pause = RETRY_MS; ; pause = Math.min(2 * pause, MAX_RETRY_MS)) {
      const result = await this.#tryAll(request, reads);
      const isLast = Date.now() + pause > end;
      if (result instanceof ApiError) {
        const { failure } = result;
        if (!reads || isLast || !failure || BAD_CERTIFICATE.includes(failure)) throw result;
      } else if (result.status !== 503 || !reads || isLast) return result;
      else await discard(result);
      await sleep(pause, signal);
    }
  }

  /** Tries each scheduler once. @returns the last refusal or error if none answers */
  async #tryAll(request: Sent, reads: boolean): Promise<Answer | ApiError> {
    const first = this.#current;
    let problem: Answer | ApiError | undefined;
    for (let tried = 0; tried < this.#urls.length; tried += 1) {
      const at = (first + tried) % this.#urls.length;
      const url = this.#urls[at] ?? '';
      const result = await this.#fetch(url, request).catch((error: unknown) => {
        if (request.signal?.aborted) throw request.signal.reason;
        const { code, message } = reasonOf(error);
        // A change that was sent may have been made.
        if (!reads && !UNSENT.has(code)) throw unanswered(url, message);
        return this.#unreachable(url, message, code);
      });
      if (problem && !(problem instanceof ApiError)) await discard(problem);
      problem = result;
      if (result instanceof ApiError) continue;
      this.#current = at;
      if (result.status !== 503 || !reads) return result;
    }
    return problem ?? this.#unreachable(this.url, 'no URL', '');
  }

  /** Follows the redirect of a scheduler to the leader, which holds all event streams. */
  async #fetch(url: string, request: Sent): Promise<Answer> {
    const response = await this.#fetchOnce(url + request.path, request, 'manual');
    // Browsers don't show the target, and send a page's own credentials again.
    if (response.type === 'opaqueredirect') return this.#fetchOnce(url + request.path, request, 'follow');
    const target = response.status >= 300 && response.status < 400 ? response.headers.get('Location') : null;
    if (target === null) return response;
    await discard(response);
    const leader = new URL(target, url);
    if (url.startsWith('https:') && leader.protocol !== 'https:') {
      throw new Error(`it redirects to ${leader.origin}, without TLS`);
    }
    // A page to log in, for example, must not get the credentials. Any path can end like the root's.
    const { origin, pathname } = new URL(request.path, url);
    const isElsewhere = pathname === '/' && leader.origin !== origin;
    if (isElsewhere || !leader.pathname.endsWith(pathname)) {
      throw new Error(`it redirects to ${leader.origin}${leader.pathname}, which is not its leader`);
    }
    // `fetch` itself would leave out the credentials.
    return this.#fetchOnce(leader.href, request, 'error');
  }

  async #fetchOnce(url: string, request: Sent, redirect: 'manual' | 'follow' | 'error'): Promise<Answer> {
    const { method, body, headers, signal, answerMs = isRead(request) ? ANSWER_MS : undefined } = request;
    const { authorization, fetch: send = fetch } = this.#options;
    const late = new AbortController();
    const giveUp = (ms: number) => late.abort(new Error(`no answer in ${ms / 1000} s`));
    const timer = answerMs === undefined ? undefined : setTimeout(giveUp, answerMs, answerMs);
    try {
      return await send(url, {
        method,
        redirect,
        headers: {
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...headers,
          ...(authorization !== undefined && { Authorization: authorization }),
        },
        ...(body !== undefined && { body }),
        signal: AbortSignal.any([late.signal, ...(signal ? [signal] : [])]),
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #unreachable(url: string, message: string, code: string): ApiError {
    return new ApiError(`no ${this.#server} answers at ${url}: ${message}`, {
      remedy: this.#options.remedies?.unreachable ?? CHECK_CONTEXT,
      failure: code || 'unreachable',
    });
  }

  get #server(): string {
    return this.#options.server ?? 'scheduler';
  }
}

/** The value of the `Authorization` header for a user's password. */
export function basicAuthorization(user: string, password: string): string {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

/** @throws UsageError for a token that no header can contain; `fetch` would show it in its message */
export function tokenAuthorization(token: string): string {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new UsageError('the token contains blanks, control characters or letters beyond ASCII', {
      remedy: 'Set it again, in a single line without other text.',
    });
  }
  return `Bearer ${token}`;
}

interface AnyInput {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, QueryValue>>;
  readonly body?: unknown;
}

function requestOf(method: string, template: string, { path, query, body }: AnyInput): Sent {
  const at = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeId(path?.[name] ?? ''));
  const search = searchOf(query ?? {});
  return { method, path: at + search, ...(body !== undefined && { body: JSON.stringify(body) }) };
}

/** Encodes an id, which may be a path. */
function encodeId(id: string): string {
  return id.replace(/^\/+/, '').split('/').map(encodeURIComponent).join('/');
}

function searchOf(query: Readonly<Record<string, QueryValue>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) search.append(name, String(one));
    }
  }
  return search.size === 0 ? '' : `?${search}`;
}

/** Frees the connection of an answer that nobody reads, which would keep the process alive. */
async function discard({ body }: Answer): Promise<void> {
  await body?.cancel().catch(() => {});
}

async function* eventsIn({ body }: Answer, decoder: EventDecoder): AsyncGenerator<ServerSentEvent> {
  if (!body) return;
  const utf8 = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* decoder.push(utf8.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** A new leader may not have found the master and the agents yet. */
function isPassing(error: unknown): boolean {
  return error instanceof ApiError && [502, 503, 504].includes(error.status ?? 0);
}

function isRead({ method, isHarmless = false }: Sent): boolean {
  return method === 'GET' || method === 'HEAD' || isHarmless;
}

function unanswered(url: string, message: string): ApiError {
  return new ApiError(`${url} did not answer: ${message}`, {
    remedy: 'The change may have been made. Check before you send it again.',
  });
}

/** The message of `fetch` is only "fetch failed"; the reason is in its cause. */
function reasonOf(error: unknown): { readonly code: string; readonly message: string } {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code, message } = cause as { code?: unknown; message?: unknown };
  const text = typeof message === 'string' && message !== '' ? message : String(code ?? cause);
  return { code: typeof code === 'string' ? code : '', message: text };
}

/** @throws the signal's reason when it aborts */
function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
