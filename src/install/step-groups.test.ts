import { expect, test } from 'vitest';
import type { PlanItem } from './plan.ts';
import { stepLabels } from './step-groups.ts';

const item = (id: string, action: PlanItem['action'] = 'install'): PlanItem => ({
  id,
  action,
  title: `${id}: ${action}`,
  diff: [],
});

test('consecutive packages have one title, which counts them; other items have their own', () => {
  const items = [
    item('file:/etc/x', 'create'),
    ...['a', 'b', 'c', 'd', 'e'].map((name) => item(`package:${name}`)),
    item('file:/etc/y', 'create'),
    item('package:f'),
  ];
  const together = { title: 'installing 5 packages: a, b, c and 2 more', last: 5 };
  expect(stepLabels(items, [])).toEqual([
    { title: 'file:/etc/x: create', last: 0 },
    ...Array.from({ length: 5 }, () => together),
    { title: 'file:/etc/y: create', last: 6 },
    { title: 'package:f: install', last: 7 },
  ]);
  expect(stepLabels([item('package:a', 'remove'), item('package:b', 'remove')], [])[0]?.title).toBe(
    'removing 2 packages: a, b',
  );
});
