import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogFrameDecoder, LogFrameError, type OutputChunk } from './log-frames.ts';

interface Frame {
  kind: number;
  bytes: Uint8Array;
}

function encode(frames: readonly Frame[]): Buffer {
  return Buffer.concat(
    frames.flatMap(({ kind, bytes }) => {
      const header = Buffer.alloc(8);
      header.writeUInt8(kind, 0);
      header.writeUInt32BE(bytes.length, 4);
      return [header, bytes];
    }),
  );
}

/** Each stream's bytes in hex, and the order of the streams. */
function summary(chunks: readonly OutputChunk[]) {
  const turns: { stream: string; hex: string }[] = [];
  for (const { stream, bytes } of chunks) {
    if (bytes.length === 0) continue;
    const last = turns.at(-1);
    if (last?.stream === stream) last.hex += bytes.toString('hex');
    else turns.push({ stream, hex: bytes.toString('hex') });
  }
  return turns;
}

const frame = fc.record({ kind: fc.integer({ min: 0, max: 3 }), bytes: fc.uint8Array({ maxLength: 40 }) });

describe('LogFrameDecoder', () => {
  test('yields each stream in order, for any chunk sizes', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 12 }),
        fc.array(fc.nat(600), { maxLength: 20 }),
        (frames, cuts) => {
          const whole = encode(frames);
          const at = [0, ...cuts.map((c) => c % (whole.length + 1)).sort((a, b) => a - b), whole.length];
          const decoder = new LogFrameDecoder();
          const out = at.slice(1).flatMap((end, i) => decoder.push(whole.subarray(at[i], end)));
          const expected = frames.map(({ kind, bytes }) => ({
            stream: kind < 2 ? ('stdout' as const) : ('stderr' as const),
            bytes: Buffer.from(bytes),
          }));
          expect(summary(out)).toEqual(summary(expected));
        },
      ),
    );
  });

  test('yields the received part of an incomplete frame', () => {
    const whole = encode([{ kind: 2, bytes: Buffer.from('abcdef') }]);
    const decoder = new LogFrameDecoder();
    expect(decoder.push(whole.subarray(0, 11))).toEqual([{ stream: 'stderr', bytes: Buffer.from('abc') }]);
    expect(decoder.push(whole.subarray(11))).toEqual([{ stream: 'stderr', bytes: Buffer.from('def') }]);
  });

  test('refuses bytes without frames, for example the output of a terminal', () => {
    expect(() => new LogFrameDecoder().push(Buffer.from('hello, world'))).toThrow(LogFrameError);
    expect(() => new LogFrameDecoder().push(Buffer.from([1, 0, 1, 0, 0, 0, 0, 1]))).toThrow(
      '0100010000000001',
    );
  });
});
