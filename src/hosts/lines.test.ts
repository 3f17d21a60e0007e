import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lines } from './lines.ts';

function read(chunks: Uint8Array[]): string[] {
  const lines: string[] = [];
  const reader = new Lines((line) => lines.push(line));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return lines;
}

test('returns the same lines for any chunks, even if they end within a character', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.integer({ min: 1, max: 7 }), (words, size) => {
      const lines = words.map((word) => word.replaceAll('\n', ''));
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      expect(read(chunks)).toEqual(lines);
    }),
  );
});

test('returns a last line without a line end', () => {
  expect(read([Buffer.from('a\nb')])).toEqual(['a', 'b']);
});

test('passes on an endless line in pieces', () => {
  const lines = read(Array.from({ length: 40 }, () => Buffer.alloc(100_000, 'x')));
  expect(lines.length).toBeGreaterThan(2);
  expect(lines.join('')).toHaveLength(4_000_000);
});
