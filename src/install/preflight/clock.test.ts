import { expect, test } from 'vitest';
import { bareHosts, clusterOf, hostOf, payload } from '../../../test/install/hosts.ts';
import { checkThreeHosts, render } from '../../../test/install/preflight.ts';
import { preflight } from './preflight.ts';

const clock = (offsetMs: number) => ({ clock: { now: 0, offsetMs } });

test('a clock that differs by ten minutes is an error of that host only, ten seconds are a warning', () => {
  expect(checkThreeHosts({ h2: clock(600_000) })).toEqual([
    'h2 error clock: its clock is 10 min ahead of the other clocks',
  ]);
  expect(checkThreeHosts({ h2: clock(-10_000) })).toEqual([
    'h2 warning clock: its clock is 10 s behind the other clocks',
  ]);
  expect(checkThreeHosts({ h2: clock(4_000) })).toEqual([]);
});

test('compares the clock of a single host with the clock of this machine', () => {
  const cluster = clusterOf([hostOf('h1')]);
  for (const [offsetMs, direction] of [
    [600_000, 'ahead of'],
    [-600_000, 'behind'],
  ] as const) {
    const facts = bareHosts(cluster, clock(offsetMs));
    expect(render(preflight({ cluster, facts, payload }))).toEqual([
      `h1 error clock: its clock is 10 min ${direction} this machine's clock`,
    ]);
  }
});

test('accepts three clocks that agree with each other and not with this machine', () => {
  expect(checkThreeHosts({ h1: clock(600_000), h2: clock(600_000), h3: clock(600_000) })).toEqual([]);
});
