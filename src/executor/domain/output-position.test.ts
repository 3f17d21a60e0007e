import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type OutputPosition,
  POSITION_BYTES,
  parsePosition,
  positionText,
  RecordFilter,
  resumeTime,
} from './output-position.ts';

const timeOf = (n: number) => `2026-11-29T20:15:00.${String(n).padStart(9, '0')}Z`;

interface Entry {
  time: string;
  text: string;
}

/** A file and its position, which a worker writes one after the other until it is killed. */
class Writer {
  file = '';
  position = { time: '', count: 0, file: 1, size: 0 };
  gaps = 0;

  /** @param kill the worker is killed after so many bytes, in front of the next position; undefined: it is not */
  run(log: readonly Entry[], kill: number | undefined, batch: number): void {
    const filter = new RecordFilter(this.position, this.file.length - this.position.size, undefined);
    const sent = log.filter(({ time }) => time >= this.position.time);
    let left = kill ?? Number.POSITIVE_INFINITY;
    for (const [i, { time, text }] of sent.entries()) {
      const { skip, isAfterGap } = filter.take(time, text.length);
      if (isAfterGap) this.gaps += 1;
      const piece = text.slice(skip).slice(0, left);
      left -= piece.length;
      this.file += piece;
      if (left <= 0) return;
      if (i % batch === 0 && filter.isAtEnd)
        this.position = { ...filter.last, file: 1, size: this.file.length };
    }
  }
}

const log = fc
  .array(fc.record({ gap: fc.nat(2), text: fc.string({ minLength: 1, maxLength: 6 }) }), { maxLength: 30 })
  .map((entries) => {
    let n = 5;
    return entries.map(({ gap, text }) => {
      n += gap;
      return { time: timeOf(n), text };
    });
  });

describe('after any number of kills', () => {
  const kills = fc.array(fc.nat(80), { maxLength: 6 });

  test('the file has each record once, in order', () => {
    fc.assert(
      fc.property(log, kills, fc.integer({ min: 1, max: 5 }), (entries, at, batch) => {
        const writer = new Writer();
        for (const bytes of at) writer.run(entries, bytes, batch);
        writer.run(entries, undefined, batch);
        expect(writer.file).toBe(entries.map(({ text }) => text).join(''));
        expect(writer.gaps).toBe(0);
      }),
    );
  });

  test('records that Docker removed in the meantime are reported, and the others are written once', () => {
    fc.assert(
      fc.property(log, fc.nat(20), (entries, removed) => {
        fc.pre(removed > 0 && removed < entries.length);
        // Docker removes files: never a part of the records of one time here.
        fc.pre(entries[removed - 1]?.time !== entries[removed]?.time);
        const writer = new Writer();
        writer.run(entries.slice(0, 1), undefined, 1);
        writer.run(entries.slice(removed), undefined, 1);
        const expected = [entries[0], ...entries.slice(Math.max(1, removed))];
        expect(writer.file).toBe(expected.map((e) => e?.text).join(''));
        expect(writer.gaps).toBe(1);
      }),
    );
  });
});

test('a stream that was quiet for long has no gap', () => {
  const position = { time: timeOf(5), count: 2, file: 1, size: 10 };
  expect(new RecordFilter(position, 0, timeOf(6)).take(timeOf(9), 1)).toEqual({ skip: 0, isAfterGap: false });
  expect(new RecordFilter(position, 0, timeOf(5)).take(timeOf(9), 1)).toEqual({ skip: 0, isAfterGap: true });
});

describe('a stored position', () => {
  const position: OutputPosition = {
    stdout: { time: timeOf(7), count: 3, file: 2 ** 40, size: 2 ** 40 },
    stderr: { time: '', count: 0, file: 1, size: 0 },
  };

  test('has always the same length', () => {
    for (const one of [position, { stdout: position.stderr, stderr: position.stderr }]) {
      expect(positionText(one)).toHaveLength(POSITION_BYTES);
      expect(parsePosition(positionText(one))).toEqual(one);
    }
  });

  test.each(['', '{}', '{"stdout":', '[]', '{"stdout":{"time":"","count":-1,"file":1,"size":0}}'])(
    'is refused if it is %j',
    (text) => {
      expect(parsePosition(text)).toBeUndefined();
    },
  );

  test('resumes at the stream that is behind, but at most a second', () => {
    const at = (stdout: string, stderr: string) =>
      resumeTime({
        stdout: { ...position.stdout, time: stdout },
        stderr: { ...position.stderr, time: stderr },
      });
    expect(at('', '')).toBeUndefined();
    expect(at(timeOf(7), timeOf(5))).toBe(timeOf(5));
    expect(at(timeOf(7), '')).toBe('2026-11-29T20:14:59.000000007Z');
    expect(at('2026-11-29T01:00:00.000000001Z', timeOf(5))).toBe('2026-11-29T20:14:59.000000005Z');
  });
});
