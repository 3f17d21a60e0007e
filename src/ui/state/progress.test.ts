import { expect, it } from 'vitest';
import { progressOf, progressParts, progressText } from './progress.ts';

function stats(running: number, staged: number) {
  return { stats: { counts: { running, staged, healthy: 0, unhealthy: 0 } } };
}

const none = stats(0, 0);
const taskStats = {
  withLatestConfig: stats(1, 1),
  withOutdatedConfig: stats(2, 0),
  startedAfterLastScaling: none,
  totalSummary: none,
};

it('tells new instances from old ones', () => {
  const progress = progressOf({ instances: 5, taskStats });
  expect(progress).toEqual({ running: 1, starting: 1, old: 2, wanted: 5 });
  expect(progress && progressParts(progress)).toEqual([
    { kind: 'running', count: 1, width: 20 },
    { kind: 'starting', count: 1, width: 20 },
    { kind: 'old', count: 2, width: 40 },
    { kind: 'missing', count: 1, width: 20 },
  ]);
  expect(progress && progressText(progress)).toBe('1 of 5 new running, 1 starting, 2 old');
});

it('fits into the bar with more instances than wanted, or none', () => {
  const more = { running: 2, starting: 0, old: 2, wanted: 2 };
  expect(progressParts(more).reduce((sum, { width }) => sum + width, 0)).toBe(100);
  expect(progressText({ running: 2, starting: 0, old: 0, wanted: 2 })).toBe('2 of 2 new running');
  expect(progressParts({ running: 0, starting: 0, old: 0, wanted: 0 })).toEqual([]);
  expect(progressOf({ instances: 1 })).toBeUndefined();
  expect(progressOf({ instances: 0, mode: 'daemon', taskStats })?.wanted).toBe(2);
});
