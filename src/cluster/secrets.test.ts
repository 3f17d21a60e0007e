import { expect, test } from 'vitest';
import { conceal, generateSecrets, hasSecret, reveal, SECRET_NAMES, secretMark } from './secrets.ts';

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
