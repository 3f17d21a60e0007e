/** The little of HTTP that master and agent share: reading a body, answering, streaming events. */

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { encodeRecord } from '../../mesos/recordio.ts';

/** Far above any call or state dump. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** The whole body; rejects when the client goes away or sends more than 64 MiB. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error(`the body is over ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The path and query of a request. What can't be decoded is left as it is: no route has such a name. */
export function requestTarget(request: IncomingMessage): { path: string; query: URLSearchParams } {
  const [raw = '/', ...rest] = (request.url ?? '/').split('?');
  const query = new URLSearchParams(rest.join('?'));
  try {
    return { path: decodeURIComponent(raw), query };
  } catch {
    return { path: raw, query };
  }
}

/** An answer with a text body, typed as Mesos types its errors. */
export function answerText(
  response: ServerResponse,
  status: number,
  body: string,
  headers: OutgoingHttpHeaders = {},
): void {
  const bytes = Buffer.from(body, 'utf8');
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    ...headers,
    'Content-Length': bytes.length,
  });
  response.end(bytes);
}

/** An answer without a body. */
export function answerEmpty(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, { ...headers, 'Content-Length': 0 });
  response.end();
}

export function answerJson(response: ServerResponse, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body), 'utf8');
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': bytes.length });
  response.end(bytes);
}

export function notFound(response: ServerResponse): void {
  answerText(response, 404, '404 Not Found.');
}

export function methodNotAllowed(response: ServerResponse, method: string | undefined): void {
  const body = `405 Method Not Allowed. Expecting one of { 'POST' }, but received '${method}'.`;
  answerText(response, 405, body, { Allow: 'POST' });
}

/** True when an Accept header lets JSON through; no header accepts everything. */
export function acceptsJson(request: IncomingMessage): boolean {
  const accept = request.headers.accept;
  if (accept === undefined || accept.trim() === '') return true;
  return accept.split(',').some((part) => {
    const [type = '', ...parameters] = part.split(';').map((s) => s.trim().toLowerCase());
    if (parameters.some((p) => /^q=0(\.0*)?$/.test(p))) return false;
    return type === '*/*' || type === 'application/*' || type === 'application/json';
  });
}

/** Something is wrong with the body of a call; the message is the whole answer. */
export class CallRefused extends Error {
  override name = 'CallRefused';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The JSON object in a call's body. Mesos compares the content type literally: parameters are refused. */
export async function readCall(request: IncomingMessage): Promise<Record<string, unknown>> {
  const contentType = request.headers['content-type'];
  const body = await readBody(request);
  if (contentType === undefined) throw new CallRefused(400, "Expecting 'Content-Type' to be present");
  if (contentType === 'application/x-protobuf') {
    throw new CallRefused(415, 'Protobuf is not spoken here; send application/json');
  }
  if (contentType !== 'application/json') {
    throw new CallRefused(415, "Expecting 'Content-Type' of application/json or application/x-protobuf");
  }
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new CallRefused(400, `Failed to parse body into JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CallRefused(400, 'Failed to convert JSON into Call protobuf: Expecting a JSON object');
  }
  return value as Record<string, unknown>;
}

/** One RecordIO stream of JSON events to one client. */
export interface EventStream<Event> {
  send(event: Event): void;
  /** Ends the stream; what was sent before still arrives. */
  close(): void;
}

/**
 * Starts a stream as the answer to a request.
 * @param onClosed called once when the client has gone or `close` was called
 * @param heartbeat the event to repeat, and how often in ms
 */
export function openEventStream<Event>(
  response: ServerResponse,
  headers: OutgoingHttpHeaders,
  onClosed: () => void,
  heartbeat?: { event: Event; everyMs: number },
): EventStream<Event> {
  response.writeHead(200, { 'Content-Type': 'application/json', ...headers });
  response.flushHeaders();
  const send = (event: Event) => {
    if (!response.writableEnded) response.write(encodeRecord(JSON.stringify(event)));
  };
  const timer = heartbeat && setInterval(() => send(heartbeat.event), heartbeat.everyMs);
  timer?.unref();
  response.on('error', () => response.destroy());
  response.once('close', () => {
    clearInterval(timer);
    onClosed();
  });
  return { send, close: () => response.end() };
}

/**
 * Answers a request whose handling threw: a refusal with its own status and words, anything else with 500 and a line
 * in the log. An answer that has begun can only be broken off.
 *
 * @param what the request, for the log
 */
export function answerError(
  response: ServerResponse,
  error: unknown,
  what: string,
  log: (line: string) => void,
): void {
  if (response.headersSent) {
    response.destroy();
  } else if (error instanceof CallRefused) {
    answerText(response, error.status, error.message);
  } else {
    log(`${what} failed: ${(error as Error).stack}`);
    answerText(response, 500, (error as Error).message);
  }
}
