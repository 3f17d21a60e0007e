/** Finds the user of a request: by its `Authorization` header, or by the cookie of a session. */

import type { IncomingMessage } from 'node:http';
import type { Sessions, SignedIn } from '../sign-in/sessions.ts';
import type { User } from './access-rules.ts';
import { type Authenticator, credentialsIn } from './authenticator.ts';
import { isFromElsewhere, isFromOwnPage, originOf } from './client-origin.ts';
import { tokenIn } from './session-cookie.ts';

export type Identity =
  /** `session`: present for a cookie. */
  | { readonly user: User; readonly session?: SignedIn['session'] }
  /** No credentials, or wrong ones. */
  | 'unknown'
  /** The cookie came with a request that a page of another site, or of another port, may have made. */
  | 'foreign'
  | 'busy'
  | { readonly waitMs: number };

/** @param method of the request; WebSockets count as changes */
export async function identify(
  request: IncomingMessage,
  authenticator: Authenticator,
  sessions: Sessions,
): Promise<Identity> {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const credentials = credentialsIn(authorization);
    if (!credentials) return 'unknown';
    const checked = await authenticator.check(credentials, originOf(request));
    if (checked === 'wrong') return 'unknown';
    return checked === 'busy' || 'waitMs' in checked ? checked : { user: checked.user };
  }
  return sessionOf(request, sessions) ?? 'unknown';
}

/** @returns the session of the cookie, whatever else the request has; undefined without a valid one */
export function sessionOf(request: IncomingMessage, sessions: Sessions): SignedIn | 'foreign' | undefined {
  const token = tokenIn(request);
  const found = token === undefined ? undefined : sessions.find(token);
  if (!found) return undefined;
  return mayUseCookie(request) ? found : 'foreign';
}

/**
 * SameSite=Strict lets pages on other ports of the host send the cookie, so a change needs a header in which the browser
 * says that it is from our page. Browsers show no other page the answers to reads.
 */
function mayUseCookie(request: IncomingMessage): boolean {
  if (isFromElsewhere(request)) return false;
  const reads = request.method === 'GET' || request.method === 'HEAD';
  return (reads && request.headers.upgrade === undefined) || isFromOwnPage(request);
}
