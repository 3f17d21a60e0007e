/** Controls access to the API, by password, by token, by role, and by the origin of web pages. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Access, isAllowed } from './access-rules.ts';
import { type Api, json, respond } from './answers.ts';
import { createAuthenticator } from './authenticator.ts';
import { roleOf } from './request-user.ts';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const HEADERS = 'Authorization, Content-Type, If-None-Match, Last-Event-ID';
const EXPOSED = 'ETag, Location, Marathon-Deployment-Id, X-Request-Id';
const PREFLIGHT_SECONDS = '600';

export function addAccessHooks(api: Api, { accounts = [], allowedOrigins = [] }: Access): void {
  api.decorateRequest('user', null);
  api.addHook('onRequest', async (request, reply) => checkOrigin(request, reply, allowedOrigins));
  if (accounts.length === 0) return;
  const authenticator = createAuthenticator(accounts);
  const missing = authenticator.challenge.startsWith('Basic') ? 'User and password are' : 'The token is';
  api.addHook('onRequest', async (request, reply) => {
    if (request.url === '/ping' || reply.sent) return;
    const user = await authenticator.userOf(request.headers.authorization);
    if (user === 'busy') {
      const headers = { 'Retry-After': '1' };
      return json(reply, { message: 'Too many passwords are being checked' }, 503, headers);
    }
    if (!user) {
      const headers = { 'WWW-Authenticate': authenticator.challenge };
      return json(reply, { message: `${missing} missing or wrong` }, 401, headers);
    }
    request.user = user;
    const needed = roleOf(request);
    if (isAllowed(user, needed)) return;
    const message = `${user.name} has the role ${user.role}: ${request.method} ${pathOf(request)} needs the role ${needed}`;
    return json(reply, { message }, 403);
  });
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?')[0] ?? url;
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
  // A browser shows a page the answers of a WebSocket from any site.
  const reads = request.method === 'GET' || request.method === 'HEAD';
  if (reads && request.headers.upgrade === undefined) return undefined;
  if (URL.parse(origin)?.host === host) return undefined;
  return json(reply, { message: `Requests from pages of ${origin} are not accepted` }, 403);
}
