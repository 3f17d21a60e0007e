import { expect, test } from 'vitest';
import { clusterFrom } from '../../cluster/spec.ts';
import type { Problem } from '../plan.ts';
import { reachOf, renderProblems } from './reach.ts';

function clusterOf(hosts: readonly unknown[]) {
  const result = clusterFrom({ hosts }, 'test');
  if (!result.ok) throw new Error('the test has a wrong spec');
  return result.value;
}
const problem = (host: string, severity: Problem['severity'] = 'error'): Problem => ({
  host,
  check: 'disk',
  message: 'the disk is full',
  remedy: 'Empty it.',
  severity,
});
const four = clusterOf(['a', 'b', 'c', 'd']);

test('a warning leaves no host out', () => {
  expect(reachOf(four, [problem('a', 'warning')])).toEqual({
    usable: ['a', 'b', 'c', 'd'],
    leftOut: [],
    blocker: '',
  });
});

test('the other hosts are used while they include a majority of the masters', () => {
  expect(reachOf(four, [problem('a'), problem('d')])).toEqual({
    usable: ['b', 'c'],
    leftOut: ['a', 'd'],
    blocker: '',
  });
  expect(reachOf(four, [problem('a'), problem('b')]).blocker).toBe(
    'only 1 of 3 ZooKeeper hosts are usable, which is not a majority; only 1 of 3 masters are usable, which is not a majority',
  );
  expect(reachOf(clusterOf(['a', 'b']), [problem('a')]).blocker).toContain('only 0 of 1 masters');
  expect(reachOf(clusterOf(['a']), [problem('a')]).blocker).toBe('no host is usable');
});

test('renders errors first, and names each host once', () => {
  expect(
    renderProblems([problem('a', 'warning'), { ...problem('b'), message: 'b: it is gone', remedy: '' }]),
  ).toBe('✖ b: it is gone\n⚠ a: the disk is full\n  → Empty it.');
});
