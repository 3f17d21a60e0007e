/**
 * Measures how long a cluster has no scheduler after the leader was killed under load, or stopped with --on-purpose:
 *
 *   npm run bench:failover [FAILOVERS] [--on-purpose] [--tasks N] [--schedulers N] [--ensemble 1|3] [--tick MS]
 *
 * Uses a real ZooKeeper, configured as on hosts, hundreds of tasks on the embedded Mesos, and an app with a permanent
 * rolling restart. Measures the time from the signal until a follower is elected, has read the state, is subscribed, and
 * has reconciled every task with the master.
 */

import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { FailoverCluster, type FailoverTimes } from '../contract/support/failover.ts';
import { machine, median } from './figures.ts';

/** Share of the tasks that belong to the restarted app. */
const ROLLED_SHARE = 0.1;
/** Long enough for changes to be in progress. */
const LOAD_MS = 3000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tasks: { type: 'string', default: '300' },
    schedulers: { type: 'string', default: '3' },
    ensemble: { type: 'string', default: '3' },
    tick: { type: 'string', default: '2000' },
    'on-purpose': { type: 'boolean', default: false },
  },
});
const failovers = Number(positionals[0] ?? 5);
const tasks = Number(values.tasks);
const rolling = Math.ceil(tasks * ROLLED_SHARE);
const tickMs = Number(values.tick);
const ensemble = values.ensemble === '1' ? 1 : 3;

console.log(`${machine()}, load ${loadavg()[0]?.toFixed(1)}`);
console.log(
  `${values.schedulers} schedulers, ${ensemble} ZooKeeper of tickTime ${tickMs} ms, ${tasks} tasks, ${rolling} of them in a rolling restart`,
);
await using cluster = await FailoverCluster.start({
  schedulers: Number(values.schedulers),
  ensemble,
  tickMs,
  steady: tasks - rolling,
  rolling,
});
const all: FailoverTimes[] = [];
for (let i = 1; i <= failovers; i += 1) {
  cluster.startChanging();
  await sleep(LOAD_MS);
  const times = await cluster.endLeader(values['on-purpose'] ? 'SIGTERM' : 'SIGKILL');
  all.push(times);
  console.log(`failover ${i}: ${describe(times)}`);
  await cluster.stopChanging();
  await cluster.settled();
}
const durations = all.map(({ reconciledMs }) => reconciledMs);
console.log(
  `until all tasks are reconciled: median ${median(durations)} ms, longest ${Math.max(...durations)} ms`,
);

function describe({ electedMs, loadedMs, subscribedMs, reconciledMs }: FailoverTimes): string {
  return (
    `${reconciledMs} ms: ${electedMs} until elected, ${loadedMs - electedMs} to read the state, ` +
    `${subscribedMs - loadedMs} to subscribe, ${reconciledMs - subscribedMs} to reconcile`
  );
}
