import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { firstLine } from './secret-input.ts';

test('reads the first line without waiting for the end of the input', async () => {
  const input = new PassThrough();
  input.write('sec');
  setTimeout(() => input.write('rét\r\nmore'), 10);
  expect(await firstLine(input)).toBe('secrét');
});

test('reads a line without an end, and an empty input', async () => {
  expect(await firstLine(Readable.from([Buffer.from('a'), Buffer.from('b')]))).toBe('ab');
  expect(await firstLine(Readable.from([]))).toBe('');
});
