/** Shared by v2's routes: Marathon's error bodies, paging, and cacheable answers. */

import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { refusalText } from '../../decide/deployments/refusal-text.ts';
import type { Reply } from '../../decide/inputs.ts';
import { type FieldError, pathText } from '../../domain/field-errors.ts';
import { BadRequestError, json, jsonFor, queryOf, respond } from '../answers.ts';
import { lengthOf } from '../body.ts';
import { isViewer } from '../request-user.ts';
import { newPart, type Part, partForViewers } from './parts.ts';
import { zipParts } from './zipped-parts.ts';

/** Answers a refused change. */
export function refused(reply: FastifyReply, result: Reply | undefined): FastifyReply {
  switch (result?.type) {
    case 'invalid':
      return invalid(reply, result.errors);
    case 'exists':
      return json(reply, { message: refusalText(result) }, 409);
    case 'unknown_app':
    case 'unknown_group':
    case 'unknown_version':
    case 'unknown_deployment':
      return json(reply, { message: refusalText(result) }, 404);
    case 'outdated': {
      const { version, at, user } = result;
      const changedAt = new Date(at).toISOString();
      const by = user !== undefined && { changedBy: user };
      return json(reply, { message: refusalText(result), version, changedAt, ...by }, 412);
    }
    case 'locked': {
      const { deploymentIds } = result;
      const message = `App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.`;
      return json(reply, { message, deployments: deploymentIds.map((id) => ({ id })) }, 409);
    }
    default:
      throw new Error(`no answer is known for ${result?.type}`);
  }
}

export function unknownApp(reply: FastifyReply, id: string): FastifyReply {
  return json(reply, { message: `App '${id}' does not exist` }, 404);
}

export function unknownGroup(reply: FastifyReply, id: string): FastifyReply {
  return json(reply, { message: `Group '${id}' does not exist` }, 404);
}

export function unknownTask(reply: FastifyReply, id: string): FastifyReply {
  const message = `Task '${id}' does not exist, or ended before the scheduler started`;
  return json(reply, { message }, 404);
}

/** Limited, so that the answer to a long invalid list does not become many times its size. */
const MAX_ERRORS = 100;

export function invalid(reply: FastifyReply, errors: readonly FieldError[]): FastifyReply {
  const byPath = new Map<string, string[]>();
  for (const { path, error } of errors.slice(0, MAX_ERRORS)) {
    const at = pathText(path);
    byPath.set(at, [...(byPath.get(at) ?? []), error]);
  }
  const details = [...byPath].map(([path, found]) => ({ path, errors: found }));
  if (errors.length > MAX_ERRORS) {
    details.push({ path: '/', errors: [`${errors.length - MAX_ERRORS} more errors are not listed`] });
  }
  return json(reply, { message: 'Object is not valid', details }, 422);
}

/** Reads a boolean query parameter in any case: Python clients send `False`. `?force` without a value means true. */
export function flagOf(request: FastifyRequest, name: string, preset = false): boolean {
  const value = queryOf(request, name)?.toLowerCase();
  if (value === undefined) return preset;
  if (value === '' || value === 'true') return true;
  if (value === 'false') return false;
  throw new BadRequestError(`${name} is '${value}': expected true or false`);
}

/** Answers 200 with an ETag, or 304 if the client has this answer already. */
export function cacheable(request: FastifyRequest, reply: FastifyReply, value: unknown): FastifyReply {
  return sendParts(request, reply, [newPart(jsonFor(request, value))]);
}

/** Like `cacheable`, for a list. @param name the field that holds the list @param rest further fields */
export function cacheableList(
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  items: readonly Part[],
  rest: Readonly<Record<string, unknown>> = {},
): FastifyReply {
  const fields = JSON.stringify(rest).slice(1);
  const end = newPart(`]${fields === '}' ? '' : ','}${fields}`);
  return cacheableParts(request, reply, [newPart(`{${JSON.stringify(name)}:[`, true), ...joined(items), end]);
}

const COMMA = newPart(',');

/** @returns the items of a list with commas between them */
export function joined(items: readonly Part[]): Part[] {
  return items.flatMap((item, i) => (i === 0 ? [item] : [COMMA, item]));
}

/** Like `cacheable`, for the pieces of a JSON text. Each item with environments must be a piece of its own. */
export function cacheableParts(
  request: FastifyRequest,
  reply: FastifyReply,
  all: readonly Part[],
): FastifyReply {
  const parts = isViewer(request) ? all.map(partForViewers) : all;
  return sendParts(request, reply, parts);
}

function sendParts(request: FastifyRequest, reply: FastifyReply, parts: readonly Part[]): FastifyReply {
  const etag = `"${hash('sha1', parts.map((part) => part.hash).join(), 'base64url')}"`;
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known?.some((tag) => tag === etag || tag === '*')) return respond(reply, 304, { ETag: etag });
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': String(lengthOf(parts)),
    ETag: etag,
  };
  return respond(reply, 200, headers, parts, parts.length > 1 ? () => zipParts(parts) : undefined);
}

/** The requested part of a list. */
export interface Paging {
  /** Only items with a greater id. */
  readonly cursor?: string;
  readonly limit?: number;
  /** Only these fields. */
  readonly fields?: ReadonlySet<string>;
}

/** @throws BadRequestError */
export function pagingOf(request: FastifyRequest): Paging {
  const cursor = queryOf(request, 'cursor');
  const limit = queryOf(request, 'limit');
  const fields = queryOf(request, 'fields');
  if (limit !== undefined && !/^[1-9]\d{0,8}$/.test(limit)) {
    throw new BadRequestError(`limit is '${limit}': expected a whole number from 1`);
  }
  return {
    ...(cursor !== undefined && { cursor }),
    ...(limit !== undefined && { limit: Number(limit) }),
    ...(fields !== undefined && { fields: new Set(fields.split(',')) }),
  };
}

/**
 * @param all sorted by id
 * @returns `next` is the cursor of the following page, if there is one
 */
export function pageOf<T>(
  { cursor, limit = Infinity }: Paging,
  all: readonly T[],
  idOf: (one: T) => string,
): { page: readonly T[]; next?: string } {
  const rest = cursor === undefined ? all : all.filter((one) => idOf(one) > cursor);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return { page, ...(last !== undefined && page.length < rest.length && { next: idOf(last) }) };
}

/** @returns the requested fields of an item */
export function pickFields(item: object, { fields }: Paging): object {
  if (!fields) return item;
  return Object.fromEntries(Object.entries(item).filter(([name]) => fields.has(name)));
}
