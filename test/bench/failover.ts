/**
 * Measures how long a cluster has no scheduler after the leader was killed under load, or stopped with --on-purpose, or
 * first one, then the other with --both:
 *
 *   npm run bench:failover [FAILOVERS] [--on-purpose|--both] [--alone] [--tasks N] [--schedulers N] [--ensemble 1|3]
 *     [--tick MS]
 *
 * Uses the built scheduler, a real ZooKeeper, configured as on hosts, many tasks, and an app with a permanent rolling
 * restart. Mesos is embedded for some hundred tasks, and simulated beyond. A scheduler that ended starts again after the
 * pause of its systemd unit; not with --alone, as if its host had failed. Measures the time from the signal until a
 * scheduler is elected, has read the state, is subscribed, and has reconciled every task with the master.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { RUNTIME_FLAGS } from '../../src/install/wanted/scheduler.ts';
import { FailoverCluster, type FailoverTimes, type MesosOfFailover } from '../contract/support/failover.ts';
import { machine, median } from './figures.ts';

/** Share of the tasks that belong to the restarted app, and their maximum. */
const ROLLED_SHARE = 0.1;
const MOST_ROLLED = 500;
const TASKS_OF_APP = 50;
/** Long enough for changes to be in progress. */
const LOAD_MS = 3000;
/** The embedded agent starts processes. */
const MOST_EMBEDDED = 1000;
const TASKS_OF_AGENT = 100;
const HEAP_MIB = 512;
type EndSignal = 'SIGKILL' | 'SIGTERM';
const ROOT = path.join(import.meta.dirname, '../..');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tasks: { type: 'string', default: '300' },
    schedulers: { type: 'string', default: '3' },
    ensemble: { type: 'string', default: '3' },
    tick: { type: 'string', default: '2000' },
    program: { type: 'string', default: path.join(ROOT, 'dist/lib/scheduler.js') },
    'on-purpose': { type: 'boolean', default: false },
    both: { type: 'boolean', default: false },
    alone: { type: 'boolean', default: false },
  },
});
const failovers = Number(positionals[0] ?? 5);
const tasks = Number(values.tasks);
const rolling = Math.min(Math.ceil(tasks * ROLLED_SHARE), MOST_ROLLED);
const tickMs = Number(values.tick);
const ensemble = values.ensemble === '1' ? 1 : 3;
const isSimulated = tasks > MOST_EMBEDDED;

console.log(`${machine()}, load ${loadavg()[0]?.toFixed(1)}`);
console.log(
  `${values.schedulers} schedulers, ${ensemble} ZooKeeper of tickTime ${tickMs} ms, ${isSimulated ? 'simulated' : 'embedded'} Mesos, ${tasks} tasks, ${rolling} of them in a rolling restart`,
);
await using cluster = await FailoverCluster.start({
  schedulers: Number(values.schedulers),
  ensemble,
  tickMs,
  heapMiB: HEAP_MIB,
  steady: tasks - rolling,
  rolling,
  apps: Math.ceil((tasks - rolling) / TASKS_OF_APP),
  restartMs: pauseOfUnit(),
  restartAfterFailover: values.alone,
  program: [...RUNTIME_FLAGS, values.program],
  ...(isSimulated && { mesos: () => simulateMesos(Math.ceil(tasks / TASKS_OF_AGENT)) }),
});
const signals: readonly EndSignal[] = values.both
  ? ['SIGKILL', 'SIGTERM']
  : [values['on-purpose'] ? 'SIGTERM' : 'SIGKILL'];
for (const signal of signals) await measure(signal);

async function measure(signal: EndSignal): Promise<void> {
  const durations: number[] = [];
  for (let i = 1; i <= failovers; i += 1) {
    cluster.startChanging();
    await sleep(LOAD_MS);
    const times = await cluster.endLeader(signal);
    durations.push(times.reconciledMs);
    console.log(`${signal} ${i}: ${describe(times)}, load ${loadavg()[0]?.toFixed(1)}`);
    await cluster.stopChanging();
    await cluster.settled();
  }
  console.log(
    `${signal}, until all tasks are reconciled: median ${median(durations)} ms, longest ${Math.max(...durations)} ms`,
  );
}

function describe({ electedMs, loadedMs, subscribedMs, reconciledMs }: FailoverTimes): string {
  return (
    `${reconciledMs} ms: ${electedMs} until elected, ${loadedMs - electedMs} to read the state, ` +
    `${subscribedMs - loadedMs} to subscribe, ${reconciledMs - subscribedMs} to reconcile`
  );
}

/** @returns milliseconds from the end of a scheduler to its next start on a host */
function pauseOfUnit(): number {
  const unit = readFileSync(path.join(ROOT, 'templates/systemd/mesosup-scheduler.service'), 'utf8');
  return Number(/^RestartSec=(\d+)$/m.exec(unit)?.[1]) * 1000;
}

async function simulateMesos(agents: number): Promise<MesosOfFailover> {
  const mesos = fork(path.join(import.meta.dirname, 'scheduler/mesos-process.ts'), [String(agents)]);
  const [{ port }] = (await once(mesos, 'message')) as [{ port: number }];
  return {
    address: `127.0.0.1:${port}`,
    executor: '/var/lib/mesos/executors/docker',
    tasks: async () => {
      const answer = once(mesos, 'message') as Promise<[string[]]>;
      mesos.send('tasks');
      const [ids] = await answer;
      return [ids];
    },
    [Symbol.asyncDispose]: async () => {
      mesos.disconnect();
      await once(mesos, 'exit');
    },
  };
}
