import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesList, matchesPattern } from './patterns.ts';

test.each([
  ['*', '', true],
  ['*.co.uk', 'www.co.uk', true],
  ['192.168.0.?', '192.168.0.1', true],
  ['192.168.0.?', '192.168.0.', false],
  ['192.168.0.?', '192.168.0.10', false],
  ['a*b*c', 'axxbxxbxc', true],
  ['a*b*c', 'axxbxxbx', false],
  ['a.c', 'abc', false],
  ['[h]:22', '[h]:22', true],
])('%s against %j', (pattern, text, matches) => {
  expect(matchesPattern(pattern, text)).toBe(matches);
});

test('matches like the equivalent regular expression', () => {
  const letters = fc.constantFrom('a', 'b', '.', '*', '?');
  fc.assert(
    fc.property(fc.array(letters), fc.array(fc.constantFrom('a', 'b', '.')), (pattern, text) => {
      const source = pattern
        .map((c) => (c === '*' ? '.*' : c === '?' ? '.' : c === '.' ? '\\.' : c))
        .join('');
      const expected = new RegExp(`^${source}$`).test(text.join(''));
      expect(matchesPattern(pattern.join(''), text.join(''))).toBe(expected);
    }),
  );
});

test('rejects a long text quickly in spite of many stars', () => {
  expect(matchesPattern(`${'a*'.repeat(50)}b`, 'a'.repeat(5000))).toBe(false);
});

test('rejects a negated match at any position of the list', () => {
  expect(matchesList(['*', '!x'], 'x')).toBe(false);
  expect(matchesList(['!x', '*'], 'y')).toBe(true);
  expect(matchesList(['!x'], 'y')).toBe(false);
});
