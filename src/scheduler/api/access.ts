/** Controls access to the API, by password, by token, and by the origin of web pages. */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from './access-rules.ts';
import { type Api, json, respond } from './answers.ts';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const HEADERS = 'Authorization, Content-Type, If-None-Match, Last-Event-ID';
const EXPOSED = 'ETag, Location, Marathon-Deployment-Id, X-Request-Id';
const PREFLIGHT_SECONDS = '600';

export function addAccessHooks(api: Api, { credentials, tokens = [], allowedOrigins = [] }: Access): void {
  api.addHook('onRequest', async (request, reply) => checkOrigin(request, reply, allowedOrigins));
  if (credentials === undefined && tokens.length === 0) return;
  const wanted = tokens.flatMap((token) => [
    `bearer ${token}`,
    // Sent by Marathon clients for DC/OS, such as python3-marathon.
    `token=${token}`,
  ]);
  if (credentials !== undefined) wanted.push(`basic ${Buffer.from(credentials, 'utf8').toString('base64')}`);
  const digests = wanted.map(digest);
  const schemes = [credentials !== undefined && 'Basic', tokens.length > 0 && 'Bearer'];
  const challenge = schemes.flatMap((scheme) => (scheme ? `${scheme} realm="mesosup"` : [])).join(', ');
  const missing = challenge.startsWith('Basic') ? 'User and password are' : 'The token is';
  api.addHook('onRequest', async (request, reply) => {
    if (request.url === '/ping' || reply.sent) return;
    const received = digest(withLowerCaseScheme(request.headers.authorization ?? ''));
    // Compares all of them in constant time.
    const matches = digests.filter((one) => timingSafeEqual(one, received)).length;
    if (matches > 0) return;
    const headers = { 'WWW-Authenticate': challenge };
    return json(reply, { message: `${missing} missing or wrong` }, 401, headers);
  });
}

/**
 * Rejects changes from pages of other sites. Since bodies of any content type are accepted, such a page could otherwise
 * start containers from a user's browser. Reads are left to the browser, which shows answers to allowed sites only.
 */
function checkOrigin(
  request: FastifyRequest,
  reply: FastifyReply,
  allowed: readonly string[],
): FastifyReply | undefined {
  const { origin, host } = request.headers;
  if (allowed.length > 0) reply.raw.setHeader('Vary', 'Origin');
  if (origin === undefined) return undefined;
  if (allowed.includes('*') || allowed.includes(origin)) {
    reply.raw.setHeader('Access-Control-Allow-Origin', allowed.includes('*') ? '*' : origin);
    reply.raw.setHeader('Access-Control-Expose-Headers', EXPOSED);
    if (request.method !== 'OPTIONS') return undefined;
    return respond(reply, 204, {
      'Access-Control-Allow-Methods': METHODS,
      'Access-Control-Allow-Headers': HEADERS,
      'Access-Control-Max-Age': PREFLIGHT_SECONDS,
    });
  }
  if (request.method === 'GET' || request.method === 'HEAD') return undefined;
  if (URL.parse(origin)?.host === host) return undefined;
  return json(reply, { message: `Requests from pages of ${origin} are not accepted` }, 403);
}

/** Schemes are case-insensitive. */
function withLowerCaseScheme(authorization: string): string {
  return authorization.replace(/^[A-Za-z]+(?=[ =])/, (scheme) => scheme.toLowerCase()).trim();
}

/** Hashes a text, since timingSafeEqual needs equal lengths. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
