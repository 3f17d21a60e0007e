/** Schemas for the kinds of values in apps and groups, as the API accepts them. */

import * as z from 'zod';

export const EMPTY = 'may not be empty';
const NUL = 'may not hold a NUL';

const DECIMAL = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/;

/** Accepts numbers as text: HTTPie's `instances=2` sends a string. */
function fromText(value: unknown): unknown {
  return typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
}

export function number(least: number, most: number) {
  const schema = z
    .number({ error: 'must be a number' })
    .min(least, `must be at least ${least}`)
    .max(most, `must be at most ${most}`);
  return z.preprocess(fromText, schema);
}

export function wholeNumber(least: number, most: number) {
  const schema = z
    .number({ error: (issue) => (issue.input === undefined ? EMPTY : 'must be a whole number') })
    .min(least, `must be at least ${least}`)
    .max(most, `must be at most ${most}`)
    .refine(Number.isInteger, 'must be a whole number');
  return z.preprocess(fromText, schema);
}

export const text = z
  .string({ error: (issue) => (issue.input === undefined ? EMPTY : 'must be a string') })
  .refine((value) => !value.includes('\0'), NUL);
export const filled = text.min(1, EMPTY);
export const flag = z.boolean({ error: 'must be true or false' });

/** An array of at most `most` elements. */
export function list<T extends z.ZodType>(element: T, most: number, what = 'must be an array') {
  return z.array(element, { error: what }).max(most, `may have at most ${most} elements`);
}

export function oneOf<const T extends readonly string[]>(...values: T) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? value.toUpperCase() : value),
    z.enum(values, { error: `must be one of ${values.join(', ')}` }),
  );
}

const scalarText = z.preprocess(
  (value) => (typeof value === 'number' || typeof value === 'boolean' ? String(value) : value),
  text,
);

export const environment = z.record(
  z.string().refine((name) => name !== '' && !/[=\0]/.test(name), 'is not the name of a variable'),
  scalarText,
  {
    error: (issue) =>
      issue.code === 'invalid_key' ? 'is not the name of a variable' : 'must be an object of strings',
  },
);

export const labels = z.record(filled, scalarText, { error: 'must be an object of strings' });

/** Removes null values at every depth: a field that is null counts as omitted. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, part]) => (part === null ? [] : [[name, withoutNulls(part)]])),
  );
}
