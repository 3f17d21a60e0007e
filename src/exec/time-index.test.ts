import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  decodeEntries,
  ENTRY_BYTES,
  encodeEntry,
  filesBetween,
  GRAIN_MS,
  newEntries,
  nextFile,
  type TimeEntry,
} from './time-index.ts';

const START = Date.parse('2026-11-29T20:15:00Z');
const entry = fc.record({
  time: fc.integer({ min: 0, max: 9_999_999_999_999 }),
  file: fc.integer({ min: 0, max: 9999 }),
  inode: fc.integer({ min: 0, max: 999_999 }),
  offset: fc.integer({ min: 0, max: 1e12 }),
});

it('reads the entries that it writes, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      const bytes = Buffer.from(entries.map(encodeEntry).join(''));
      expect(bytes.length).toBe(entries.length * ENTRY_BYTES);
      expect(decodeEntries(bytes)).toEqual(entries);
      if (bytes.length > 0) expect(decodeEntries(bytes.subarray(1))).toBeUndefined();
    }),
  );
  expect(decodeEntries(Buffer.alloc(ENTRY_BYTES))).toBeUndefined();
});

it('counts files beyond the largest number', () => {
  const at = (file: number): TimeEntry => ({ time: 0, file, inode: 0, offset: 0 });
  expect(filesBetween(at(9998), at(nextFile(nextFile(nextFile(9998)))))).toBe(3);
});

it('times of entries never decrease, each describes the output until the next one, and a second has one entry at most', () => {
  const pieces = fc.array(
    fc.record({ step: fc.integer({ min: -3000, max: 3000 }), length: fc.integer({ min: 1, max: 9 }) }),
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 6 }), (files) => {
      const entries: TimeEntry[] = [];
      let now = START;
      for (const [file, written] of files.entries()) {
        const timed = written.map(({ step, length }) => {
          now += step;
          return {
            time: `${new Date(now).toISOString().slice(0, 23)}999999Z`,
            bytes: Buffer.alloc(length),
            ms: now,
          };
        });
        const added = newEntries(timed, entries.at(-1), { file, inode: 0, offset: 100 });
        const [first] = added;
        if (timed.length > 0) expect(first?.offset).toBe(100);
        let offset = 100;
        for (const { bytes, ms } of timed) {
          const own = added.findLast((one) => one.offset <= offset)?.time ?? Number.NaN;
          expect(ms).toBeLessThan(own + GRAIN_MS);
          offset += bytes.length;
        }
        entries.push(...added);
      }
      for (const [i, { time, file }] of entries.entries()) {
        const before = entries[i - 1];
        if (!before) continue;
        expect(time - before.time).toBeGreaterThanOrEqual(before.file === file ? GRAIN_MS : 0);
      }
    }),
  );
});
