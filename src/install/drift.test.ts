import { expect, test } from 'vitest';
import { changesIn, driftBetween, endingTasks } from './drift.ts';
import type { HostPlan, Plan, PlanItem } from './plan.ts';

const item = (id: string, more: Partial<PlanItem> = {}): PlanItem => ({
  id,
  action: 'create',
  title: `${id}: create`,
  diff: [],
  ...more,
});
const plan = (...hosts: HostPlan[]): Plan => ({
  format: 1,
  command: 'install',
  cluster: 'c',
  version: '1',
  hosts,
});

test('a plan with the same basis has not drifted, even if its texts differ', () => {
  const saved = plan({ host: 'a', basis: 'x', items: [item('file:/a')] });
  expect(driftBetween(saved, plan({ host: 'a', basis: 'x', items: [] }))).toEqual([]);
});

test('drift names new, missing and changed items', () => {
  const saved = plan(
    { host: 'a', basis: 'x', items: [item('file:/a'), item('file:/b', { diff: ['+1'] })] },
    { host: 'b', basis: 'x', items: [] },
    { host: 'c', basis: 'x', items: [] },
  );
  const fresh = plan(
    { host: 'a', basis: 'y', items: [item('file:/b', { diff: ['+2'] })] },
    { host: 'b', basis: 'y', items: [] },
  );
  expect(driftBetween(saved, fresh)).toEqual([
    'a: now also: file:/b: create',
    'a: no longer: file:/a: create',
    'a: no longer: file:/b: create',
    'b: the state of the host has changed, but the plan is the same',
    'c: the host is unreachable, or its address is unknown',
  ]);
});

test('lists items that end tasks, also an unknown number of tasks, but not zero tasks', () => {
  const items = [
    item('1'),
    item('2', { endsTasks: 0 }),
    item('3', { endsTasks: 2 }),
    item('4', { endsTasks: null }),
  ];
  const of = plan({ host: 'a', basis: '', items });
  expect(endingTasks(of).map(({ item: { id } }) => id)).toEqual(['3', '4']);
  expect(changesIn(of)).toBe(4);
});
