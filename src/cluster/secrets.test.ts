import { createPrivateKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { issueLeaves, makeAuthority } from './edge/authority.ts';
import {
  conceal,
  generateSecrets,
  hasSecret,
  keyLines,
  reveal,
  SECRET_NAMES,
  secretMark,
  secretValues,
} from './secrets.ts';

const secrets = generateSecrets((n) => new Uint8Array(n).map((_, i) => i * 7));

test('reveals a mark as its secret, and conceals it as dots', () => {
  const text = `{"secret":"${secretMark('agent')}"}`;
  expect(hasSecret(text)).toBe(true);
  expect(reveal(text, secrets)).toBe(`{"secret":"${secrets.agent}"}`);
  expect(conceal(text)).not.toContain('agent');
  expect(hasSecret(reveal(text, secrets))).toBe(false);
});

test('every secret is new and needs no escaping', () => {
  let next = 0;
  const drawn = generateSecrets((n) => {
    next += 1;
    return new Uint8Array(n).fill(next);
  });
  expect(new Set(Object.values(drawn)).size).toBe(SECRET_NAMES.length);
  for (const value of Object.values(drawn)) expect(value).toMatch(/^[A-Za-z0-9_-]{43}$/);
});

test('an unknown mark is an error, not an empty secret', () => {
  expect(() => reveal('⟦secret:nobody⟧', secrets)).toThrow('nobody');
});

test('of a private key each line that has a part of it is a secret, and no part of its certificate', async () => {
  const authority = await makeAuthority('lab', 1, 'x', Date.now());
  const wanted = { host: 'h1', service: 'agent', names: ['h1'] } as const;
  const [leaf] = await issueLeaves(authority, [wanted], { passPhrase: 'x', now: Date.now(), file: 'x' });
  if (!leaf) throw new TypeError();
  const lines = keyLines(leaf.key);
  expect(lines.map(({ length }) => length)).toEqual([64, 64]);
  for (const line of lines) expect(leaf.certificate).not.toContain(line);
  const scalar = createPrivateKey(leaf.key).export({ format: 'jwk' }).d ?? '';
  expect(Buffer.from(lines.join(''), 'base64').includes(Buffer.from(scalar, 'base64url'))).toBe(true);
  const tls = { state: 'use', trusted: '', leaves: { 'h1/agent': leaf } } as const;
  expect(secretValues({ ...secrets, tls })).toEqual([...secretValues(secrets), ...lines]);
});
