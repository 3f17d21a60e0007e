/** What the routes share. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from '../metrics.ts';
import type { Runner } from '../runner.ts';
import type { Access } from './access-rules.ts';
import type { Answered } from './answered.ts';
import { type Body, lengthOf, send } from './body.ts';
import { compress } from './compress.ts';
import type { EventStreams } from './v2/event-stream.ts';
import type { SetupJson } from './v2/scheduler-schemas.ts';

export interface ApiOptions extends Access {
  runner: Runner;
  events: EventStreams;
  /** `host:port` under which others reach this API. */
  leader: () => string;
  /** What `/v2/info` says of the configuration. */
  info: () => SetupJson;
  /** Lets another scheduler lead; absent where there is no other. */
  abdicate?: () => void;
  now: () => number;
  random: () => number;
  /** Name all endpoints `<id>_<port>`. */
  endpointsPortSuffix: boolean;
  /** Bytes; 1 MiB where it isn't given. */
  maxBodyBytes?: number;
  metrics: Metrics;
  /** Told of each route while they are made. */
  onRoute?: (method: string, url: string) => void;
  /** Called once the last byte of an answer has been handed on. */
  onAnswered?: (answer: Answered) => void;
  /** A fault of ours, met while answering. */
  onError: (what: string, error: unknown) => void;
}

export type Api = FastifyInstance;

/**
 * Answers as Marathon did: with these header names, no charset, and no Content-Length where the body comes in chunks.
 * fastify would spell, add and take away headers of its own.
 */
export function respond(
  reply: FastifyReply,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Body = [],
): FastifyReply {
  reply.hijack();
  if (!compress(reply, status, headers, body)) send(reply, status, headers, body);
  return reply;
}

export function json(
  reply: FastifyReply,
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): FastifyReply {
  const body = Buffer.from(JSON.stringify(value));
  const own = { 'Content-Type': 'application/json', 'Content-Length': String(body.length) };
  return respond(reply, status, { ...own, ...headers }, [body]);
}

export function text(reply: FastifyReply, body: string | Body, status = 200): FastifyReply {
  const bytes = typeof body === 'string' ? [Buffer.from(body)] : body;
  // A client of HTTP/1.0 would take the marks between chunks for text.
  const chunked = reply.request.raw.httpVersion !== '1.0';
  const length = chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(lengthOf(bytes)) };
  return respond(reply, status, { 'Content-Type': 'text/plain', ...length }, bytes);
}

/** What was asked for can't be understood; the text says why. */
export class BadRequestError extends Error {
  readonly statusCode = 400;
}

/** A query parameter; of one given twice, the first. */
export function queryOf(request: FastifyRequest, name: string): string | undefined {
  return queriesOf(request, name)[0];
}

export function queriesOf(request: FastifyRequest, name: string): string[] {
  const value = (request.query as Record<string, string | string[] | undefined>)[name];
  return value === undefined ? [] : [value].flat();
}
