import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crcShift, joinCrcs } from './crc.ts';

it('computes the CRC-32 of two joined pieces', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array({ size: 'large' }), (first, second) => {
      const joined = joinCrcs(crc32(first), crc32(second), crcShift(second.length));
      expect(joined).toBe(crc32(Buffer.concat([first, second])));
    }),
  );
});
