import { expect, it } from 'vitest';
import * as z from 'zod';
import { MismatchError } from './mismatch.ts';
import { readerOf } from './reader.ts';

it('does not change its input, and returns it if no field is missing', () => {
  const read = readerOf(
    z.object({ list: z.array(z.object({ a: z.number().default(1) })), b: z.string().default('x') }),
  );
  const whole = { list: [{ a: 2 }], b: 'y' };
  expect(read(whole)).toBe(whole);
  const old = { list: [{ a: 2 }, {}] };
  expect(read(old)).toEqual({ list: [{ a: 2 }, { a: 1 }], b: 'x' });
  expect(old).toEqual({ list: [{ a: 2 }, {}] });
});

it('fills in the defaults of a missing object', () => {
  const read = readerOf(z.object({ inner: z.object({ a: z.number().default(1) }).prefault({}) }));
  expect(read({})).toEqual({ inner: { a: 1 } });
});

it('drops empty unknown fields, and refuses unknown fields with a value', () => {
  const read = readerOf(z.object({ a: z.number() }));
  const empty = {
    flag: false,
    count: 0,
    text: '',
    list: [],
    map: {},
    nothing: null,
    all: { of: '', these: [] },
  };
  expect(read({ a: 1, ...empty })).toEqual({ a: 1 });
  for (const used of [true, 1, 'x', [0], { of: 'x' }]) {
    expect(() => read({ a: 1, used })).toThrow(MismatchError);
  }
});

it('refuses unsupported kinds of schemas', () => {
  expect(() => readerOf(z.date())).toThrow("stored values can't be read by schemas of the type date");
});

it('selects the member of a union by a field, or by trying', () => {
  const read = readerOf(
    z.object({
      how: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('a'), n: z.number().default(0) }),
        z.object({
          kind: z.enum(['b', 'c']),
          at: z.union([z.object({ url: z.string() }), z.object({ file: z.string() })]),
        }),
      ]),
      left: z.union([z.number(), z.null()]).optional(),
    }),
  );
  expect(read({ how: { kind: 'a' }, left: null })).toEqual({ how: { kind: 'a', n: 0 }, left: null });
  expect(read({ how: { kind: 'c', at: { file: '/x' } } })).toEqual({
    how: { kind: 'c', at: { file: '/x' } },
  });
  const refused = (value: unknown) => {
    try {
      return read(value);
    } catch (error) {
      return error instanceof MismatchError ? `${error.path.join('.')} ${error.message}` : error;
    }
  };
  expect(refused({ how: { kind: 'd' } })).toBe('how.kind has an unknown value');
  expect(refused({ how: { kind: 'b', at: { file: 1 } } })).toMatch(/^how\.at\./);
  expect(refused({ how: { kind: 'a' }, left: 'x' })).toBe('left has an unknown value');
});
