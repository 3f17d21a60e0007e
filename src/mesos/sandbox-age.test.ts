import { expect, test } from 'vitest';
import { maxSandboxAge } from './sandbox-age.ts';

test.each([
  [0, 900],
  [0.5, 400],
  [0.9, 0],
  [1, 0],
])('with %d of the disk in use, directories are kept for %d of 1000 ms', (usage, age) => {
  expect(maxSandboxAge(1000, 0.1, usage)).toBeCloseTo(age);
});
