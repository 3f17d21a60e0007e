import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { int, WireError } from './jute.ts';
import { PacketReader, packet } from './packets.ts';

/** Splits bytes at the given positions, taken modulo the length. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set([0, ...places.map((place) => place % (bytes.length + 1)), bytes.length])];
  at.sort((a, b) => a - b);
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

describe('PacketReader', () => {
  it('yields the original packets, for any chunk sizes', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(4000), { maxLength: 60 }), (sent, places) => {
        const reader = new PacketReader();
        const stream = Buffer.concat(sent.map((body) => packet(Buffer.from(body))));
        const received = cut(stream, places).flatMap((chunk) => [...reader.read(chunk)]);
        expect(received).toEqual(sent.map((body) => Buffer.from(body)));
      }),
    );
  });

  it('yields packets that arrive byte by byte', () => {
    const reader = new PacketReader();
    const stream = Buffer.concat([packet(Buffer.from('one')), packet(), packet(int(2))]);
    const received = [...stream].flatMap((byte) => [...reader.read(Buffer.from([byte]))]);
    expect(received).toEqual([Buffer.from('one'), Buffer.alloc(0), int(2)]);
  });

  it.each([
    ['a length below 0', int(-1)],
    ['a length above 64 MiB', int(64 * 1024 * 1024 + 1)],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n')],
  ])('refuses %s as soon as its 4 bytes are there, after the packets before it', (_, bytes) => {
    const reader = new PacketReader();
    const stream = Buffer.concat([packet(Buffer.from('good')), bytes.subarray(0, 4)]);
    const received: string[] = [];
    expect(() => {
      for (const body of reader.read(stream)) received.push(body.toString());
    }).toThrow(WireError);
    expect(received).toEqual(['good']);
  });

  it('waits for a packet of 64 MiB', () => {
    expect([...new PacketReader().read(int(64 * 1024 * 1024))]).toEqual([]);
  });
});
