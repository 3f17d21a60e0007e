import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeFrame, type Frame, FrameDecoder, MAX_FRAME_BYTES } from './frames.ts';

const frame = fc.record({
  channel: fc.integer({ min: 0, max: 3 }),
  content: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
});

it('decodes what was encoded, for any sizes of the pieces', () => {
  fc.assert(
    fc.property(fc.array(frame), fc.array(fc.integer({ min: 1, max: 30 })), (frames, sizes) => {
      const bytes = Buffer.concat(frames.flatMap(encodeFrame));
      const decoder = new FrameDecoder();
      const decoded: Frame[] = [];
      for (let at = 0, i = 0; at < bytes.length; i += 1) {
        const end = at + (sizes[i % sizes.length] ?? 1);
        decoded.push(...decoder.push(bytes.subarray(at, end)));
        at = end;
      }
      expect(decoded).toEqual(frames);
    }),
  );
});

it('refuses frames that are too long, and unknown channels, before their content has arrived', () => {
  const header = (channel: number, length: number) => {
    const bytes = Buffer.alloc(5);
    bytes.writeUInt8(channel);
    bytes.writeUInt32BE(length, 1);
    return bytes;
  };
  expect(new FrameDecoder().push(header(1, MAX_FRAME_BYTES))).toEqual([]);
  expect(() => new FrameDecoder().push(header(1, MAX_FRAME_BYTES + 1))).toThrow(/longer than 1048576/);
  expect(() => new FrameDecoder().push(header(4, 0))).toThrow(/unknown channel 4/);
});
