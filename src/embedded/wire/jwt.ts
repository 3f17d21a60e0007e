/** JSON Web Tokens of executors, signed with HS256 (RFC 7519). */

import { createHmac, timingSafeEqual } from 'node:crypto';

const HEADER = { alg: 'HS256', typ: 'JWT' };

/** @param key the bytes of the secret */
export function signToken(claims: Readonly<Record<string, string>>, key: Uint8Array): string {
  const signed = `${encode(HEADER)}.${encode(claims)}`;
  return `${signed}.${hmac(signed, key).toString('base64url')}`;
}

/** @returns the claims as text, or the problem of the token. @param nowMs milliseconds since the epoch */
export function verifyToken(
  token: string,
  key: Uint8Array,
  nowMs: number,
): { claims: Record<string, string> } | { error: string } {
  const [header, payload, signature, ...rest] = token.split('.');
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) {
    return { error: `Expected 3 components in token, got ${token.split('.').length}` };
  }
  const actual = Buffer.from(signature, 'base64url');
  const expected = hmac(`${header}.${payload}`, key);
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) {
    return { error: 'Token signature does not match' };
  }
  const { alg, crit } = decode(header) ?? {};
  if (alg !== 'HS256') return { error: 'Token \'alg\' value does not match, expected "HS256"' };
  if (crit !== undefined) return { error: "Token 'crit' field is unsupported" };
  const claims = decode(payload);
  if (!claims) return { error: 'Failed to decode token payload' };
  if (typeof claims.exp === 'number' && claims.exp * 1000 < nowMs) return { error: 'Token has expired' };
  return {
    claims: Object.fromEntries(
      Object.entries(claims).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    ),
  };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function hmac(text: string, key: Uint8Array): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
