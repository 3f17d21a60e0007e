import { expect, it } from 'vitest';
import { type AppProgress, progressLines } from './progress.ts';

const counts = (running: number, more: object = {}) => ({
  stats: { counts: { staged: 0, running, healthy: 0, unhealthy: 0, ...more } },
});
const stats = (latest: ReturnType<typeof counts>, older: ReturnType<typeof counts>) => ({
  startedAfterLastScaling: latest,
  withLatestConfig: latest,
  withOutdatedConfig: older,
  totalSummary: latest,
});
const progress = (apps: AppProgress[], more: object = {}) => ({
  id: 'd',
  step: 1,
  steps: 1,
  failures: 0,
  apps,
  ...more,
});

it('shows new, healthy, starting and old instances of each app', () => {
  const app = {
    instances: 3,
    healthChecks: [{} as never],
    mode: undefined,
    taskStats: stats(counts(2, { staged: 1, healthy: 1 }), counts(2)),
  };
  const apps = [{ id: '/web', app }, { id: '/old' }];
  expect(progressLines(progress(apps, { step: 2, steps: 3, failures: 1 }))).toEqual([
    '/web: 2 of 3 running, 1 healthy, 1 starting, 2 old',
    '/old: is removed (step 2 of 3, 1 failed task)',
  ]);
});

it('says once that an app is waiting', () => {
  const app = { instances: 1, healthChecks: [], mode: undefined };
  const apps = [{ id: '/web', app, waiting: 'waiting for an offer: no agent is registered' }];
  const lines = progressLines(progress(apps));
  expect(lines).toEqual([
    expect.stringMatching(/^\/web: 0 of 1 running, waiting for an offer: no agent is registered/),
  ]);
});

it('shows why an app is waiting, within the width', () => {
  const app = { instances: 1, healthChecks: [], mode: undefined, taskStats: stats(counts(0), counts(0)) };
  const apps = [{ id: '/web', app, waiting: 'no agent has\u001b[2J 64 GiB of memory' }];
  expect(progressLines(progress(apps))).toEqual([
    '/web: 0 of 1 running, waiting: no agent has\\x1b[2J 64 GiB of memory',
  ]);
  for (const line of progressLines(progress(apps), 40)) expect(line).toHaveLength(40);
});
