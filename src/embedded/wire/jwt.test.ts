import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signToken, verifyToken } from './jwt.ts';

const key = Buffer.from('key');
const NOW = 1_800_000_000_000;

/** A correctly signed token with any header and claims. */
function token(header: unknown, claims: unknown): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

describe('a token', () => {
  it('yields its claims with the right key', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (claims) => {
        expect(verifyToken(signToken(claims, key), key, NOW)).toEqual({ claims });
      }),
    );
  });

  it('signed by another key, or changed, is refused', () => {
    const good = signToken({ fid: 'f' }, key);
    const [header = '', , signature = ''] = good.split('.');
    const forged = Buffer.from(JSON.stringify({ fid: 'g' })).toString('base64url');
    for (const bad of [
      signToken({ fid: 'f' }, Buffer.from('other')),
      `${header}.${forged}.${signature}`,
      `${good}x`,
    ]) {
      expect(verifyToken(bad, key, NOW)).toEqual({ error: 'Token signature does not match' });
    }
  });

  it.each([
    ['a.b', 'Expected 3 components in token, got 2'],
    [token({ alg: 'none' }, {}), "Token 'alg' value does not match"],
    [token({ alg: 'HS256', crit: [] }, {}), "Token 'crit' field is unsupported"],
    [token({ alg: 'HS256' }, 1), 'Failed to decode token payload'],
    [token({ alg: 'HS256' }, { exp: NOW / 1000 - 1 }), 'Token has expired'],
  ])('%s is refused', (text, error) => {
    expect(verifyToken(text, key, NOW)).toEqual({ error: expect.stringContaining(error) });
  });

  it('yields claims of other types as JSON, and is valid until it expires', () => {
    const exp = NOW / 1000 + 1;
    expect(verifyToken(token({ alg: 'HS256' }, { exp, list: [1] }), key, NOW)).toEqual({
      claims: { exp: String(exp), list: '[1]' },
    });
  });
});
