import { expect, test } from 'vitest';
import { MismatchError } from './mismatch.ts';
import { readTexts } from './texts.ts';

interface Entry {
  readonly name: string;
  readonly urls: readonly string[];
  readonly user?: string | undefined;
}

const read = (value: unknown) =>
  readTexts<Entry>(value, { name: 'text', urls: 'texts', user: 'optional text' }, ['entries', '0']);

test('reads texts and lists of texts, and leaves out fields without a value', () => {
  expect(read({ name: 'a', urls: [], later: null })).toEqual({ name: 'a', urls: [] });
  expect(read({ name: 'a', urls: ['u'], user: '' })).toEqual({ name: 'a', urls: ['u'], user: '' });
});

test.each([
  ['x', 'entries.0', 'has an unknown value'],
  [{ name: 1, urls: [] }, 'entries.0.name', 'has an unknown value'],
  [{ name: 'a' }, 'entries.0.urls', 'is missing'],
  [{ name: 'a', urls: [1] }, 'entries.0.urls', 'has an unknown value'],
  [{ name: 'a', urls: [], later: 'x' }, 'entries.0.later', 'is unknown'],
])('refuses %j with the path', (value, path, message) => {
  let error: unknown;
  try {
    read(value);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(MismatchError);
  expect([(error as MismatchError).path.join('.'), (error as MismatchError).message]).toEqual([
    path,
    message,
  ]);
});
