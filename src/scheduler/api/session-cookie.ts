/** The cookie with the token of a session. Scripts can't read it, and browsers send it to this scheduler only. */

import type { IncomingMessage } from 'node:http';
import { hasTls } from './client-origin.ts';

const NAME = 'mesosup-session';
/** Browsers accept a cookie of this name with TLS only, and from this host only, not from its parent domains. */
const NAME_WITH_TLS = `__Host-${NAME}`;

function nameFor(request: IncomingMessage): string {
  return hasTls(request) ? NAME_WITH_TLS : NAME;
}

/**
 * @returns the token; undefined without the cookie, or if there are several of its name: a page on another port of the
 * host can set a second one
 */
export function tokenIn(request: IncomingMessage): string | undefined {
  const name = nameFor(request);
  const values = (request.headers.cookie ?? '').split(';').flatMap((pair) => {
    const at = pair.indexOf('=');
    return at >= 0 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : [];
  });
  return values.length === 1 ? values[0] : undefined;
}

/**
 * @param token '' removes the cookie
 * @returns the value of `Set-Cookie`. Without an expiry: the scheduler ends sessions, the browser forgets the cookie when
 * it is closed.
 */
export function sessionCookie(request: IncomingMessage, token: string): string {
  const attributes = ['Path=/', 'HttpOnly', 'SameSite=Strict'];
  if (hasTls(request)) attributes.push('Secure');
  if (token === '') attributes.push('Max-Age=0');
  return [`${nameFor(request)}=${token}`, ...attributes].join('; ');
}
