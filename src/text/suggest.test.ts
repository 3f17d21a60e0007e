import { expect, test } from 'vitest';
import { editDistance, suggest } from './suggest.ts';

test('a swap of neighbours, a letter too many, one missing or another are one step each', () => {
  expect(editDistance('agnet', 'agent')).toBe(1);
  expect(editDistance('agentt', 'agent')).toBe(1);
  expect(editDistance('agnt', 'agent')).toBe(1);
  expect(editDistance('agemt', 'agent')).toBe(1);
  expect(editDistance('', 'agent')).toBe(5);
});

test('only a near word is suggested', () => {
  expect(suggest('Hsots', ['hosts', 'ports'])).toBe('hosts');
  expect(suggest('colour', ['hosts', 'ports'])).toBeUndefined();
  expect(suggest('x', [])).toBeUndefined();
});
