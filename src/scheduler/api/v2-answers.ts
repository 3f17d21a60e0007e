/** What v2's routes share: Marathon's error bodies, parts of lists, and answers that clients may keep. */

import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Reply } from '../decide/inputs.ts';
import type { FieldError } from '../domain/field-errors.ts';
import { json, queryOf, respond } from './answers.ts';

/** The answer to a change that was not made. */
export function refused(reply: FastifyReply, result: Reply | undefined): FastifyReply {
  switch (result?.type) {
    case 'invalid':
      return invalid(reply, result.errors);
    case 'exists':
      return json(reply, { message: `An app or group with id [${result.appId}] already exists.` }, 409);
    case 'unknown_app':
      return unknownApp(reply, result.appId);
    case 'unknown_group':
      return unknownGroup(reply, result.groupId);
    case 'unknown_version':
      return json(reply, { message: `App '${result.appId}' has no version '${result.version}'` }, 404);
    case 'unknown_deployment':
      return json(reply, { message: `Deployment '${result.deploymentId}' does not exist` }, 404);
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

/** A list of wrong things must not give an answer many times its size. */
const MOST_ERRORS = 100;

export function invalid(reply: FastifyReply, errors: readonly FieldError[]): FastifyReply {
  const byPath = new Map<string, string[]>();
  for (const { path, error } of errors.slice(0, MOST_ERRORS)) {
    const at = path.map((part) => (typeof part === 'number' ? `(${part})` : `/${part}`)).join('') || '/';
    byPath.set(at, [...(byPath.get(at) ?? []), error]);
  }
  const details = [...byPath].map(([path, found]) => ({ path, errors: found }));
  return json(reply, { message: 'Object is not valid', details }, 422);
}

export function flagOf(request: FastifyRequest, name: string, preset = false): boolean {
  const value = queryOf(request, name);
  return value === undefined ? preset : value !== 'false';
}

/** 200 with an ETag, or 304 where the client has this answer already. */
export function cacheable(request: FastifyRequest, reply: FastifyReply, value: unknown): FastifyReply {
  const body = Buffer.from(JSON.stringify(value));
  const etag = `"${createHash('sha1').update(body).digest('base64url')}"`;
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known?.some((tag) => tag === etag || tag === '*')) return respond(reply, 304, { ETag: etag });
  const headers = { 'Content-Type': 'application/json', 'Content-Length': String(body.length), ETag: etag };
  return respond(reply, 200, headers, body);
}

/**
 * The part of a list that is asked for: with `limit` so many, after the one that `cursor` names; with `fields` these
 * fields alone. `next` is the cursor of what follows.
 */
export function pageOf<T extends { readonly id: string }>(
  request: FastifyRequest,
  all: readonly T[],
): { items: Partial<T>[]; next?: string } {
  const cursor = queryOf(request, 'cursor');
  const limit = Number(queryOf(request, 'limit') ?? Number.NaN);
  const fields = queryOf(request, 'fields')?.split(',');
  const rest = cursor === undefined ? all : all.filter(({ id }) => id > cursor);
  const page = Number.isInteger(limit) && limit > 0 ? rest.slice(0, limit) : rest;
  const items = fields ? page.map((item) => only(item, fields)) : [...page];
  const last = page.at(-1);
  return { items, ...(last && page.length < rest.length && { next: last.id }) };
}

function only<T extends object>(item: T, fields: readonly string[]): Partial<T> {
  return Object.fromEntries(Object.entries(item).filter(([name]) => fields.includes(name))) as Partial<T>;
}
