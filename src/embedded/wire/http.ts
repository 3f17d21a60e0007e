/** HTTP functions that master and agent share: bodies, answers, event streams. */

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { isJson } from '../../json.ts';
import { encodeRecord } from '../../mesos/recordio.ts';

/** Much larger than any call. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Reads the complete body. Rejects if the client disconnects or sends more than 64 MiB. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error(`the body exceeds ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Returns the path and query of a request. An invalid encoding is kept, since no route has such a name. */
export function requestTarget(request: IncomingMessage): { path: string; query: URLSearchParams } {
  const [raw = '/', ...rest] = (request.url ?? '/').split('?');
  const query = new URLSearchParams(rest.join('?'));
  try {
    return { path: decodeURIComponent(raw), query };
  } catch {
    return { path: raw, query };
  }
}

/** Answers with a text body, with the content type of Mesos' errors. */
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

/** Answers without a body. */
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

/** True if the Accept header allows JSON. A missing header allows everything. */
export function acceptsJson(request: IncomingMessage): boolean {
  const accept = request.headers.accept;
  if (accept === undefined || accept.trim() === '') return true;
  return accept.split(',').some((part) => {
    const [type = '', ...parameters] = part.split(';').map((s) => s.trim().toLowerCase());
    if (parameters.some((p) => /^q=0(\.0*)?$/.test(p))) return false;
    return type === '*/*' || type === 'application/*' || type === 'application/json';
  });
}

/** A refused call. The message is the complete answer. */
export class CallRefused extends Error {
  override name = 'CallRefused';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Reads the JSON object in a call's body. Like Mesos, refuses a content type with parameters. */
export async function readCall(request: IncomingMessage): Promise<Record<string, unknown>> {
  const contentType = request.headers['content-type'];
  const body = await readBody(request);
  if (contentType === undefined) throw new CallRefused(400, "Expecting 'Content-Type' to be present");
  if (contentType === 'application/x-protobuf') {
    throw new CallRefused(415, 'Protobuf is not supported; send application/json');
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
  if (!isJson(value)) {
    throw new CallRefused(400, 'Failed to convert JSON into Call protobuf: Expecting a JSON object');
  }
  return value;
}

/** A RecordIO stream of JSON events to one client. */
export interface EventStream<Event> {
  send(event: Event): void;
  /** Ends the stream after all sent events. */
  close(): void;
}

/**
 * Starts a stream as the answer to a request.
 * @param onClosed called once when the client has disconnected or `close` was called
 * @param heartbeat the event to repeat, and the interval in ms
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
 * Answers a request whose handler threw: a refusal with its status and text, any other error with 500 and a log line. An
 * answer that has started is aborted.
 *
 * @param what describes the request for the log
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
