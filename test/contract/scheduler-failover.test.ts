/** Kills the leader repeatedly under load: no task is lost, duplicated or restarted, no confirmed change is lost. */

import { expect, it } from 'vitest';
import { FailoverCluster } from './support/failover.ts';

const FAILOVERS = 3;

it('survives kill -9 of the leader with hundreds of tasks and running deployments', {
  timeout: 300_000,
}, async () => {
  await using cluster = await FailoverCluster.start({
    schedulers: 3,
    ensemble: 1,
    steady: 200,
    rolling: 40,
    restartMs: 0,
  });
  const before = await cluster.settled();
  expect(Object.values(before).flat()).toHaveLength(240);
  for (let failover = 0; failover < FAILOVERS; failover += 1) {
    const { restarts, created } = cluster;
    const made = created.length;
    cluster.startChanging();
    await expect.poll(() => cluster.restarts, { timeout: 30_000 }).toBeGreaterThan(restarts + 2);
    await cluster.endLeader('SIGKILL');
    await expect.poll(() => cluster.created.length, { timeout: 30_000 }).toBeGreaterThan(made + 3);
    await cluster.stopChanging();
    const after = await cluster.settled();
    const steady = (ids: Record<string, string[]>) =>
      Object.fromEntries(Object.entries(ids).filter(([id]) => id.startsWith('/steady/')));
    expect(steady(after)).toEqual(steady(before));
    expect(after['/rolling']).toHaveLength(40);
    expect(Object.keys(after)).toEqual(expect.arrayContaining(cluster.created));
  }
});
