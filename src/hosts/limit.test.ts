import { expect, test } from 'vitest';
import { Limit } from './limit.ts';

test('admits no more callers than the limit, and the next one when a caller leaves', async () => {
  const limit = new Limit(2);
  const first = await limit.enter();
  await limit.enter();
  let third = false;
  const waiting = limit.enter().then(() => {
    third = true;
  });
  await Promise.resolve();
  expect(third).toBe(false);
  first();
  first();
  await waiting;
  expect(limit.active).toBe(2);
});

test('applies a lower limit to later callers, and never falls below 1', async () => {
  const limit = new Limit(5);
  const leave = await limit.enter();
  limit.lower(0);
  let second = false;
  const waiting = limit.enter().then(() => {
    second = true;
  });
  await Promise.resolve();
  expect(second).toBe(false);
  leave();
  await waiting;
});
