import { expect, test } from 'vitest';
import { fewLines } from './few-lines.ts';

test('shows four problems, and counts those that do not fit', () => {
  expect(fewLines(['a', 'b', 'c', 'd'])).toBe('a\nb\nc\nd');
  expect(fewLines(['a', 'b', 'c', 'd', 'e'])).toBe('a\nb\nc\nand 2 more problems');
});
