/** Authenticates requests by HTTP basic authentication or bearer tokens, with Mesos' challenges and refusals. */

import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Credentials } from './credentials.ts';
import { answerText } from './http.ts';
import { verifyToken } from './jwt.ts';

/** A name from a credentials file, or the claims of a token. */
export type Principal = { name: string } | { claims: Readonly<Record<string, string>> };

/** Accepted kinds of authentication; a request needs one of them. */
export interface Authenticators {
  basic?: Credentials;
  /** The key that signed the tokens. */
  jwt?: Uint8Array;
}

/** A failed kind of authentication, with its challenge for WWW-Authenticate. */
interface Refusal {
  scheme: 'Basic' | 'Bearer';
  challenge: string;
}

/** Authenticates a request. Otherwise answers 401 and returns undefined. */
export function authenticate(
  request: IncomingMessage,
  response: ServerResponse,
  realm: string,
  authenticators: Authenticators,
): Principal | undefined {
  const refusals: Refusal[] = [];
  if (authenticators.basic) {
    const name = basicPrincipal(request, authenticators.basic);
    if (name !== undefined) return { name };
    refusals.push({ scheme: 'Basic', challenge: `Basic realm="${realm}"` });
  }
  if (authenticators.jwt) {
    const outcome = bearerClaims(request, authenticators.jwt);
    if ('claims' in outcome) return outcome;
    const why =
      outcome.error === undefined ? '' : `, error="invalid_token", error_description="${outcome.error}"`;
    refusals.push({ scheme: 'Bearer', challenge: `Bearer realm="${realm}"${why}` });
  }
  refuse(response, refusals);
  return undefined;
}

/** Combines several refusals into one header and one body: combined_authenticator.cpp. */
function refuse(response: ServerResponse, refusals: readonly Refusal[]): void {
  const plain = '401 Unauthorized.';
  const body =
    refusals.length === 1
      ? plain
      : refusals.map(({ scheme }) => `"${scheme}" authenticator returned:\n${plain}`).join('\n\n');
  answerText(response, 401, body, {
    'WWW-Authenticate': refusals.map(({ challenge }) => challenge).join(','),
  });
}

/** Returns the principal of HTTP basic authentication; undefined if the credentials are missing or wrong. */
export function basicPrincipal(request: IncomingMessage, credentials: Credentials): string | undefined {
  const match = /^Basic\s+(\S+)$/i.exec(request.headers.authorization ?? '');
  if (!match) return undefined;
  const text = Buffer.from(match[1] as string, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  const principal = text.slice(0, colon);
  const secret = credentials.get(principal);
  return secret !== undefined && sameSecret(secret, text.slice(colon + 1)) ? principal : undefined;
}

function sameSecret(a: string, b: string): boolean {
  const left = Buffer.from(a, 'utf8');
  const right = Buffer.from(b, 'utf8');
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Reads the claims of a token. A request without authentication gets no error code: RFC 6750, 3.1. */
function bearerClaims(
  request: IncomingMessage,
  key: Uint8Array,
): { claims: Record<string, string> } | { error?: string } {
  const header = request.headers.authorization;
  if (header === undefined) return {};
  const [scheme, token, ...rest] = header.split(' ');
  if (token === undefined || rest.length > 0) return { error: "Malformed 'Authorization' header" };
  // Repeats only the scheme's name, without characters that could end the quotes.
  if (scheme !== 'Bearer') return { error: `Scheme '${scheme?.replace(/[^\w-]/g, '')}' unsupported` };
  const outcome = verifyToken(token, key, Date.now());
  if ('error' in outcome) return { error: `Invalid JWT: ${outcome.error.replaceAll('"', "'")}` };
  return Object.keys(outcome.claims).length > 0 ? outcome : { error: 'JWT claims missing' };
}
