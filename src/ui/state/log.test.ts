import fc from 'fast-check';
import { expect, it } from 'vitest';
import { findLines, splitAt, withLines } from './log.ts';

const line = (text: string) => ({ stream: 'stdout' as const, text });

it('keeps the last 5000 lines with their numbers', () => {
  const first = withLines([], [line('a')]);
  const all = withLines(
    first,
    Array.from({ length: 6000 }, (_, i) => line(String(i))),
  );
  expect([all.length, all.at(-1)?.text, all.at(-1)?.number]).toEqual([5000, '5999', 5001]);
});

it('keeps at most 4 MiB, and cuts a very long line', () => {
  const long = 'x'.repeat(1 << 20);
  const all = withLines(
    [],
    Array.from({ length: 100 }, () => line(long)),
  );
  expect(all[0]?.text.length).toBe(100_000);
  expect(all.length).toBe(41);
});

it('finds lines in any case, and marks what was found', () => {
  const lines = withLines([], [line('An ERROR, an error'), line('fine')]);
  expect(findLines(lines, 'error')).toHaveLength(1);
  expect(
    splitAt('An ERROR, an error', 'error').map(({ text, isFound }) => (isFound ? `[${text}]` : text)),
  ).toEqual(['An ', '[ERROR]', ', an ', '[error]']);
});

it('loses no character of a line, for any search', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, search) => {
      expect(
        splitAt(text, search)
          .map((one) => one.text)
          .join(''),
      ).toBe(text);
    }),
  );
});
