import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boolean, buffer, int, JuteReader, string, vector, WireError } from './jute.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });

/** One field: its bytes, the method that reads it, and the expected result. */
const field = fc.oneof(
  fc.integer().map((value) => ({ bytes: int(value), method: 'int' as const, value })),
  fc.boolean().map((value) => ({ bytes: boolean(value), method: 'boolean' as const, value })),
  text.map((value) => ({ bytes: string(value), method: 'string' as const, value })),
  fc
    .uint8Array({ maxLength: 100 })
    .map((value) => ({ bytes: buffer(value), method: 'buffer' as const, value: Buffer.from(value) })),
  fc
    .uint8Array({ minLength: 8, maxLength: 8 })
    .map((value) => ({ bytes: Buffer.from(value), method: 'long' as const, value: Buffer.from(value) })),
  fc
    .array(text, { maxLength: 5 })
    .map((value) => ({ bytes: vector(value.map(string)), method: 'strings' as const, value })),
);

type Method = 'int' | 'boolean' | 'string' | 'buffer' | 'long' | 'strings';

function read(reader: JuteReader, method: Method): unknown {
  return method === 'strings' ? reader.vector(() => reader.string()) : reader[method]();
}

describe('JuteReader', () => {
  it('reads the fields of any record in order', () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 10 }), (fields) => {
        const reader = new JuteReader(Buffer.concat(fields.map(({ bytes }) => bytes)));
        for (const { method, value } of fields) expect(read(reader, method)).toEqual(value);
        expect(() => reader.boolean()).toThrow(WireError);
      }),
    );
  });

  it('refuses a record that is truncated at any position', () => {
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 5 }), fc.nat(), (fields, place) => {
        const bytes = Buffer.concat(fields.map((each) => each.bytes));
        const reader = new JuteReader(bytes.subarray(0, place % bytes.length));
        expect(() => {
          for (const { method } of fields) read(reader, method);
        }).toThrow(WireError);
      }),
    );
  });

  it('reads any bytes or refuses them with a WireError', () => {
    const methods = fc.array(
      fc.constantFrom<Method>('int', 'boolean', 'string', 'buffer', 'long', 'strings'),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), methods, (bytes, order) => {
        const reader = new JuteReader(Buffer.from(bytes));
        try {
          for (const method of order) read(reader, method);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
    );
  });

  it('reads null as empty, and refuses any other length below 0', () => {
    expect(new JuteReader(int(-1)).string()).toBe('');
    expect(new JuteReader(int(-1)).buffer()).toEqual(Buffer.alloc(0));
    expect(new JuteReader(int(-1)).vector(() => 1)).toEqual([]);
    for (const method of ['string', 'buffer', 'strings'] as const) {
      expect(() => read(new JuteReader(int(-2)), method)).toThrow(new WireError('-2 is not a length'));
    }
  });

  it('fails immediately for a vector whose count exceeds its bytes', () => {
    const bytes = Buffer.concat([int(0x7fffffff), string('only')]);
    expect(() => read(new JuteReader(bytes), 'strings')).toThrow(
      /a field of 4 bytes exceeds its packet of 12/,
    );
  });

  it('copies data, so that later changes of the packet do not affect it', () => {
    const packet = buffer(Buffer.from('ab'));
    const data = new JuteReader(packet).buffer();
    packet.fill(0);
    expect(data.toString()).toBe('ab');
  });
});
