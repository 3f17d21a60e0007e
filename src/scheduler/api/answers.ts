/** Options and functions shared by all routes. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Agents } from '../agents/agents.ts';
import type { Client } from '../domain/events.ts';
import type { ExecSessions } from '../exec/exec-sessions.ts';
import type { Members } from '../members.ts';
import type { Metrics } from '../metrics.ts';
import type { Runner } from '../runner.ts';
import type { TaskFiles } from '../sandbox/task-files.ts';
import type { TaskLogs } from '../sandbox/task-logs.ts';
import type { Sessions } from '../sign-in/sessions.ts';
import { ignoreRest } from '../unread-body.ts';
import type { Access, Needed } from './access-rules.ts';
import type { Answered } from './answered.ts';
import { type Body, lengthOf, send } from './body.ts';
import { compress } from './compress.ts';
import { isViewer } from './request-user.ts';
import type { EventStreams } from './v2/event-stream.ts';
import type { SetupJson } from './v2/scheduler-schemas.ts';
import { withoutEnvironment } from './viewer-json.ts';

export interface ApiOptions extends Access {
  runner: Runner;
  events: EventStreams;
  /** Undefined: exec is turned off. */
  exec: ExecSessions | undefined;
  agents: Agents;
  members: Members;
  /** Of people in browsers. */
  sessions: Sessions;
  logs: TaskLogs;
  files: TaskFiles;
  /** `host:port` under which other hosts reach this API. */
  leader: () => string;
  /** The configuration for `/v2/info`. */
  info: () => SetupJson;
  /** Hands the leadership over to another scheduler; absent for a single scheduler. */
  abdicate?: () => void;
  now: () => number;
  random: () => number;
  /** Names all endpoints `<id>_<port>`. */
  endpointsPortSuffix: boolean;
  maxBodyBytes: number;
  metrics: Metrics;
  /** Called for each route at its registration, with the role that it needs. */
  onRoute?: (method: string, url: string, role: Needed) => void;
  /** Called once the connection has taken the last byte of an answer. */
  onAnswered?: (answer: Answered) => void;
  /** Called for internal errors while answering. */
  onError: (what: string, error: unknown) => void;
}

export type Api = FastifyInstance;

/**
 * Answers with Marathon's headers: with this spelling, without a charset, and without Content-Length for chunked
 * bodies. Bypasses fastify, which would change headers.
 * @param zip returns the compressed body, if that is known better than by compressing all of it
 */
export function respond(
  reply: FastifyReply,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Body = [],
  zip?: () => Promise<Body>,
): FastifyReply {
  reply.hijack();
  ignoreRest(reply.request.raw, reply.raw);
  if (!compress(reply, status, headers, body, zip)) send(reply, status, headers, body);
  return reply;
}

/** @returns the JSON of an answer to this client */
export function jsonFor(request: FastifyRequest, value: unknown): string {
  const whole = JSON.stringify(value);
  return isViewer(request) ? withoutEnvironment(whole) : whole;
}

export function json(
  reply: FastifyReply,
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): FastifyReply {
  const body = Buffer.from(jsonFor(reply.request, value));
  const own = { 'Content-Type': 'application/json', 'Content-Length': String(body.length) };
  return respond(reply, status, { ...own, ...headers }, [body]);
}

export function text(reply: FastifyReply, body: string | Body, status = 200): FastifyReply {
  const bytes = typeof body === 'string' ? [Buffer.from(body)] : body;
  // An HTTP/1.0 client would read the chunk sizes as text.
  const chunked = reply.request.raw.httpVersion !== '1.0';
  const length = chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(lengthOf(bytes)) };
  return respond(reply, status, { 'Content-Type': 'text/plain', ...length }, bytes);
}

/** @returns the sender of a request, for events */
export function clientOf({ url, raw, user }: FastifyRequest): Client {
  const { remoteAddress = '' } = raw.socket;
  return { address: remoteAddress, uri: url.split('?')[0] ?? '', ...(user && { user: user.name }) };
}

/** The request is malformed; the message says why. */
export class BadRequestError extends Error {
  readonly statusCode = 400;
}

/** @returns a query parameter; if it is repeated, the first one */
export function queryOf(request: FastifyRequest, name: string): string | undefined {
  return queriesOf(request, name)[0];
}

export function queriesOf(request: FastifyRequest, name: string): string[] {
  const value = (request.query as Record<string, string | string[] | undefined>)[name];
  return value === undefined ? [] : [value].flat();
}
