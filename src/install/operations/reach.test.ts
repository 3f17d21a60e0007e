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
    goOn: ['a', 'b', 'c', 'd'],
    leftOut: [],
    stop: '',
  });
});

test('the others go on while they have a majority of the masters', () => {
  expect(reachOf(four, [problem('a'), problem('d')])).toEqual({
    goOn: ['b', 'c'],
    leftOut: ['a', 'd'],
    stop: '',
  });
  expect(reachOf(four, [problem('a'), problem('b')]).stop).toBe(
    'only 1 of 3 ZooKeeper hosts will do, which is no majority; only 1 of 3 masters will do, which is no majority',
  );
  expect(reachOf(clusterOf(['a', 'b']), [problem('a')]).stop).toContain('only 0 of 1 masters');
  expect(reachOf(clusterOf(['a']), [problem('a')]).stop).toBe('no host will do');
});

test('problems read with errors first, each host named once', () => {
  expect(
    renderProblems([problem('a', 'warning'), { ...problem('b'), message: 'b: it is gone', remedy: '' }]),
  ).toBe('✖ b: it is gone\n⚠ a: the disk is full\n  → Empty it.');
});
