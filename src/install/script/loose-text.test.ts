import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../test/support/runs.ts';
import { looseBytes, looseText, strictText } from './loose-text.ts';

/** Any character, also unassigned ones. The library's own generator takes seconds to set up. */
const character = fc
  .integer({ min: 0, max: 0x10ffff })
  .filter((point) => point < 0xd800 || point > 0xdfff)
  .map((point) => String.fromCodePoint(point));

test('any bytes survive a round trip', () => {
  const text = fc.string({ unit: character, maxLength: 20 }).map((chars) => Buffer.from(chars));
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 20 }), text);
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 4 }), (parts) => {
      const whole = Buffer.concat(parts);
      expect(looseBytes(looseText(whole)).equals(whole)).toBe(true);
    }),
    { numRuns: runs(200) },
  );
});

test('keeps valid text, and marks only invalid bytes', () => {
  expect(looseText(Buffer.from('é ⟦ 😀 \ufeff'))).toBe('é ⟦ 😀 \ufeff');
  expect(looseText(Buffer.from([0x61, 0xff, 0xc3, 0xa9, 0xc3]))).toBe('a\udcffé\udcc3');
  expect(strictText(Buffer.from([0xff]))).toBeUndefined();
});
