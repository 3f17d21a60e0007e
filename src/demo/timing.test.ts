import fc from 'fast-check';
import { expect, test } from 'vitest';
import { callsOnPath, dockerCalls, union } from './timing.ts';

test('counts overlapping intervals once, and only up to the given end', () => {
  expect(union([])).toBe(0);
  expect(
    union([
      { start: 10, end: 20 },
      { start: 0, end: 5 },
      { start: 15, end: 30 },
      { start: 16, end: 18 },
    ]),
  ).toBe(25);
  expect(union([{ start: 0, end: 100 }], 40)).toBe(40);
  expect(union([{ start: 50, end: 100 }], 40)).toBe(0);
});

test('equals the number of covered units', () => {
  const interval = fc
    .tuple(fc.nat(60), fc.nat(20))
    .map(([start, length]) => ({ start, end: start + length }));
  fc.assert(
    fc.property(fc.array(interval), fc.nat(90), (intervals, until) => {
      const units = Array.from({ length: 100 }, (_, at) => at).filter(
        (at) => at < until && intervals.some(({ start, end }) => start <= at && at < end),
      );
      expect(union(intervals, until)).toBe(units.length);
    }),
  );
});

test('reads only create and start calls from an executor log', () => {
  const log = [
    '{"level":"info","msg":"subscribed"}',
    '{"op":"create","task":"a","start":1.5,"end":2}',
    '{"op":"stop","task":"a","start":3,"end":9}',
    '{"op":"start","task":"a","start":2,"end":3}',
    '',
  ].join('\n');
  expect(dockerCalls(log)).toEqual([
    { start: 1.5, end: 2 },
    { start: 2, end: 3 },
  ]);
});

test('counts calls for the client only from the first call for an instance on', () => {
  const instances = [
    { start: 50, end: 60 },
    { start: 40, end: 45 },
  ];
  const client = [
    { start: 10, end: 30 },
    { start: 20, end: 48 },
    { start: 70, end: 75 },
  ];
  expect(union(callsOnPath(instances, client))).toBe(8 + 10 + 5);
});
