import { expect, test } from 'vitest';
import { policyProblem } from './policy.ts';
import { gcLimits, outputLimits } from './sandbox-policy.ts';

test('a policy that can’t be read, or has no such keys, has the defaults', () => {
  for (const policy of [undefined, {}, { logs: {}, sandboxes: {} }]) {
    expect(outputLimits(policy)).toEqual({ maxSize: 10 * 1024 * 1024, maxFiles: 5 });
    expect(gcLimits(policy)).toEqual({ delayMs: 7 * 86_400_000, headroom: 0.1 });
  }
});

test('each key replaces one default', () => {
  expect(outputLimits({ logs: { maxSize: 65_536 } })).toEqual({ maxSize: 65_536, maxFiles: 5 });
  expect(outputLimits({ logs: { maxFiles: 2 } })).toEqual({ maxSize: 10 * 1024 * 1024, maxFiles: 2 });
  expect(gcLimits({ sandboxes: { gcDelaySeconds: 60 } })).toEqual({ delayMs: 60_000, headroom: 0.1 });
  expect(gcLimits({ sandboxes: { gcDiskHeadroomPercent: 25 } })).toMatchObject({ headroom: 0.25 });
});

test.each([
  [{ logs: { maxSize: 65_535 } }, /^logs\.maxSize/],
  [{ logs: { maxFiles: 1 } }, /^logs\.maxFiles/],
  [{ sandboxes: { gcDiskHeadroomPercent: 101 } }, /^sandboxes\.gcDiskHeadroomPercent/],
  [{ sandboxes: { gcDelay: '1d' } }, /^sandboxes\.gcDelay/],
])('%j is refused with its path', (policy, problem) => {
  expect(policyProblem(policy)).toMatch(problem);
});
