/** Controls access to the API, by password, by token, by role, and by the origin of web pages. */

import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Sessions } from '../sign-in/sessions.ts';
import { type Access, isAllowed } from './access-rules.ts';
import { type Api, json, respond } from './answers.ts';
import type { Authenticator } from './authenticator.ts';
import { isByOwnScript } from './client-origin.ts';
import { identify } from './identify.ts';
import { refuseBusy, refuseForeign } from './refusals.ts';
import { roleOf } from './request-user.ts';
import { tokenIn } from './session-cookie.ts';
import { isUpgrade } from './upgrades.ts';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const HEADERS = 'Authorization, Content-Type, If-None-Match, Last-Event-ID';
const EXPOSED = 'ETag, Location, Marathon-Deployment-Id, X-Request-Id';
const PREFLIGHT_SECONDS = '600';

/** @param authenticator undefined: everyone may do everything */
export function addAccessHooks(
  api: Api,
  { allowedOrigins = [], sessions }: Access & { readonly sessions: Sessions },
  authenticator: Authenticator | undefined,
): void {
  api.decorateRequest('user', null);
  api.addHook('onRequest', async (request, reply) => checkOrigin(request, reply, allowedOrigins));
  if (!authenticator) return;
  const missing = authenticator.challenge.startsWith('Basic') ? 'User and password are' : 'The token is';
  api.addHook('onRequest', async (request, reply) => {
    const needed = roleOf(request);
    if (needed === 'none' || reply.sent) return;
    const identity = await identify(request.raw, authenticator, sessions);
    if (identity === 'unknown') {
      const headers = { 'WWW-Authenticate': challengeFor(request.raw, authenticator) };
      return json(reply, { message: `${missing} missing or wrong` }, 401, headers);
    }
    if (identity === 'foreign') return refuseForeign(reply);
    if (identity === 'busy' || 'waitMs' in identity) return refuseBusy(reply, identity);
    const { user, session } = identity;
    if (session) {
      // Caches share no answers to requests with a password; of cookies they know nothing.
      reply.raw.setHeader('Cache-Control', 'private, no-cache');
      endWithSession(request, reply, sessions, session.id);
    }
    request.user = user;
    if (isAllowed(user, needed)) return;
    const message = `${user.name} has the role ${user.role}: ${request.method} ${pathOf(request)} needs the role ${needed}`;
    return json(reply, { message }, 403);
  });
}

/** @returns a challenge; for our page one of no known scheme: for the others, browsers ask for a password themselves */
function challengeFor(request: IncomingMessage, { challenge }: Authenticator): string {
  return isByOwnScript(request) || tokenIn(request) !== undefined ? 'Session realm="mesosup"' : challenge;
}

/** Ends the connection of an event stream or a terminal with the session. */
function endWithSession(
  { raw }: FastifyRequest,
  reply: FastifyReply,
  sessions: Sessions,
  sessionId: string,
): void {
  const connection = isUpgrade(raw) ? raw.socket : reply.raw;
  if (connection.destroyed) return;
  connection.once(
    'close',
    sessions.hold(sessionId, () => connection.destroy()),
  );
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
