import { expect, test } from 'vitest';
import { editDistance, suggest } from './suggest.ts';

test('counts a swap, an extra letter, a missing letter and a wrong letter as one edit each', () => {
  expect(editDistance('agnet', 'agent')).toBe(1);
  expect(editDistance('agentt', 'agent')).toBe(1);
  expect(editDistance('agnt', 'agent')).toBe(1);
  expect(editDistance('agemt', 'agent')).toBe(1);
  expect(editDistance('', 'agent')).toBe(5);
});

test('suggests only a similar word', () => {
  expect(suggest('Hsots', ['hosts', 'ports'])).toBe('hosts');
  expect(suggest('colour', ['hosts', 'ports'])).toBeUndefined();
  expect(suggest('x', [])).toBeUndefined();
});
