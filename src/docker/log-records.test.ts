import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogFrameError } from './log-frames.ts';
import { apiTime, type LogRecord, LogRecordDecoder } from './log-records.ts';

const TIME = '2026-11-29T20:15:00.016717124Z';

function frameOf({ stream, time, bytes }: LogRecord): Buffer {
  const content = Buffer.concat([Buffer.from(`${time} `), bytes]);
  const header = Buffer.alloc(8);
  header.writeUInt8(stream === 'stdout' ? 1 : 2, 0);
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
}

function decode(tty: boolean, whole: Buffer, cuts: readonly number[]): LogRecord[] {
  const at = [0, ...cuts.map((c) => c % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  const decoder = new LogRecordDecoder(tty);
  const records = at.slice(1).flatMap((end, i) => decoder.push(whole.subarray(at[i], end)));
  return [...records, ...decoder.end()].map((r) => ({ ...r, bytes: Buffer.from(r.bytes) }));
}

const time = fc.nat(999_999_999).map((n) => `2026-11-29T20:15:00.${String(n).padStart(9, '0')}Z`);
const cuts = fc.array(fc.nat(100_000), { maxLength: 10 });

describe('LogRecordDecoder', () => {
  test('yields all records of both streams, for any chunk sizes and any bytes', () => {
    const record = fc.record({
      stream: fc.constantFrom('stdout' as const, 'stderr' as const),
      time,
      bytes: fc.uint8Array({ maxLength: 60 }).map((b) => Buffer.from(b)),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 10 }), cuts, (records, at) => {
        expect(decode(false, Buffer.concat(records.map(frameOf)), at)).toEqual(records);
      }),
    );
  });

  test('divides the output of a terminal as Docker does', () => {
    const line = fc
      .tuple(
        fc.constantFrom(0, 1, 20, 16_383, 16_384, 16_385, 40_000),
        fc.uint8Array({ minLength: 1, maxLength: 5 }),
      )
      .map(([length, bytes]) =>
        Buffer.alloc(
          length,
          bytes.map((b) => (b === 0x0a ? 0 : b)),
        ),
      );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(time, line), { maxLength: 5 }),
        fc.boolean(),
        cuts,
        (lines, ended, at) => {
          const records = lines.flatMap(([t, content], i) => {
            const isEnd = i === lines.length - 1 && !ended;
            const pieces: Buffer[] = [];
            let rest = content;
            for (; rest.length >= 16_384; rest = rest.subarray(16_384)) pieces.push(rest.subarray(0, 16_384));
            if (!isEnd) pieces.push(Buffer.concat([rest, Buffer.from('\n')]));
            else if (rest.length > 0) pieces.push(rest);
            return pieces.map((bytes) => ({ stream: 'stdout' as const, time: t, bytes }));
          });
          const whole = Buffer.concat(records.flatMap(({ time: t, bytes }) => [Buffer.from(`${t} `), bytes]));
          expect(decode(true, whole, at)).toEqual(records);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('converts a time with an offset', () => {
    const record = {
      stream: 'stdout' as const,
      time: '2026-11-29T21:45:00.016717124+01:30',
      bytes: Buffer.from('x\n'),
    };
    expect(decode(false, frameOf(record), [])[0]?.time).toBe(TIME);
  });

  test('refuses bytes that are no records', () => {
    expect(() => new LogRecordDecoder(false).push(Buffer.from('hello, world'))).toThrow(LogFrameError);
    expect(() => new LogRecordDecoder(true).push(Buffer.from('hello, world\n'))).toThrow(
      'has "hello," as a time',
    );
    const empty = { stream: 'stdout' as const, time: '', bytes: Buffer.from('x') };
    expect(() => new LogRecordDecoder(false).push(frameOf(empty))).toThrow(LogFrameError);
  });
});

test('times become parameters without a loss of precision', () => {
  expect(apiTime(TIME)).toBe('1795983300.016717124');
  expect(apiTime('1970-01-01T00:00:00.000000000Z')).toBe('0.000000000');
});
