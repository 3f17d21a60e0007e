import { expect, it } from 'vitest';
import { plotOf, withSample } from './series.ts';

it('scales the samples to the picture, from 0 to the largest value', () => {
  const samples = [
    { at: 1000, values: { a: 2 } },
    { at: 2000, values: {} },
    { at: 3000, values: { a: 4 } },
  ];
  expect(plotOf(samples, 'a', 100, 50)).toEqual({
    points: [
      { x: 0, y: 25 },
      { x: 100, y: 0 },
    ],
    min: 0,
    max: 4,
    last: 4,
  });
  expect(plotOf([], 'a', 100, 50)).toEqual({ points: [], min: 0, max: 0, last: undefined });
});

it('keeps an hour of samples', () => {
  let samples = withSample([], { at: 0, values: {} });
  for (let at = 1; at < 1000; at += 1) samples = withSample(samples, { at, values: {} });
  expect([samples.length, samples[0]?.at]).toEqual([720, 280]);
});
