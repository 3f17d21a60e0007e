import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quote } from './quote.ts';

test('quotes words so that sh reads them back unchanged', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: 'binary-ascii' }).filter((w) => !w.includes('\0')),
        { minLength: 1 },
      ),
      (words) => {
        const line = `for w in ${words.map(quote).join(' ')}; do printf '%s\\0' "$w"; done`;
        expect(execFileSync('/bin/sh', ['-c', line]).toString()).toBe(words.map((w) => `${w}\0`).join(''));
      },
    ),
    { numRuns: 30 },
  );
});

test('refuses a NUL byte', () => {
  expect(() => quote('a\0b')).toThrow(TypeError);
});
