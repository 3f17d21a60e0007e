import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HealthCheck } from '../mesos/types.ts';
import { commandArgv } from './command.ts';
import {
  afterCheck,
  type CheckResult,
  firstCheckMs,
  initialHealth,
  intervalMs,
  mustBeKilled,
  timeoutMs,
} from './health.ts';

const PASSED: CheckResult = { type: 'passed' };
const FAILED: CheckResult = { type: 'failed', why: 'w' };
const UNKNOWN: CheckResult = { type: 'unknown', why: 'w' };
const check = (more: Partial<HealthCheck>): HealthCheck => ({ type: 'TCP', tcp: { port: 1 }, ...more });

describe('times', () => {
  test('are seconds, with Mesos’ defaults', () => {
    const now = 1000;
    expect([firstCheckMs(initialHealth(now), {}, now), intervalMs({}), timeoutMs({})]).toEqual([
      15_000, 10_000, 20_000,
    ]);
    const given = { delay_seconds: 0.5, interval_seconds: 0.25, timeout_seconds: 1.5 };
    expect([firstCheckMs(initialHealth(now), given, now), intervalMs(given), timeoutMs(given)]).toEqual([
      500, 250, 1500,
    ]);
  });

  test('with a timeout of 0 have no limit', () => {
    expect(timeoutMs({ timeout_seconds: 0 })).toBeUndefined();
  });

  test('do not exceed the maximum of a timer', () => {
    expect(intervalMs({ interval_seconds: 1e12 })).toBe(2 ** 31 - 1);
  });
});

describe('health', () => {
  test('is unknown until a result counts', () => {
    const fresh = initialHealth(0);
    expect(afterCheck(fresh, check({}), UNKNOWN, 1e9)).toBe(fresh);
    expect(afterCheck(fresh, check({}), FAILED, 10_000)).toBe(fresh);
    expect(afterCheck(fresh, check({}), FAILED, 10_001)).toMatchObject({ healthy: false, failures: 1 });
    expect(afterCheck(fresh, check({ grace_period_seconds: 0 }), FAILED, 0)).toMatchObject({ failures: 1 });
    expect(afterCheck(fresh, check({}), PASSED, 1)).toMatchObject({ healthy: true, failures: 0 });
  });

  const result = fc.constantFrom(PASSED, FAILED, FAILED, UNKNOWN);
  const story = fc.array(fc.tuple(result, fc.nat(4000)), { maxLength: 40 });

  test('follows the last result that counts, and failures are counted since the last success', () => {
    fc.assert(
      fc.property(story, fc.nat(20), fc.nat(5), (steps, grace, limit) => {
        const checks = check({ grace_period_seconds: grace, consecutive_failures: limit });
        let now = 0;
        let health = initialHealth(now);
        const counting: CheckResult[] = [];
        for (const [outcome, wait] of steps) {
          now += wait;
          health = afterCheck(health, checks, outcome, now);
          const spared = now <= grace * 1000 && grace > 0 && counting.length === 0 && outcome === FAILED;
          if (outcome !== UNKNOWN && !spared) counting.push(outcome);
          const since = counting.length - 1 - counting.lastIndexOf(PASSED);
          expect(health.failures).toBe(since);
          expect(health.healthy).toBe(counting.length === 0 ? undefined : counting.at(-1) === PASSED);
          expect(mustBeKilled(health, checks)).toBe(since > 0 && since >= limit);
          expect(firstCheckMs(health, checks, now)).toBeLessThanOrEqual(15_000);
        }
      }),
    );
  });

  test('stays the same object after a success without a change, so that nothing is stored', () => {
    const well = afterCheck(initialHealth(0), {}, PASSED, 1);
    expect(afterCheck(well, {}, PASSED, 2)).toBe(well);
  });
});

test('commandArgv returns a command’s argv', () => {
  expect(commandArgv({ value: 'a "b"' })).toEqual(['/bin/sh', '-c', 'a "b"']);
  expect(commandArgv({ shell: false, value: '/bin/x', arguments: ['x', '-v'] })).toEqual(['/bin/x', '-v']);
  expect(commandArgv({ shell: false, value: '/bin/x' })).toEqual(['/bin/x']);
});
