/**
 * Launches tasks on a real Mesos, by the scheduler and by a framework that only accepts offers, in turns:
 *
 *   npm run bench:real-mesos -- MASTER:PORT [--commands N] [--containers N] [--rounds N]
 *
 * Measures the time from the first request to the last TASK_RUNNING. The framework launches the same TaskInfos as the
 * scheduler, and spreads them evenly over the agents. Containers need Docker on the agents, and the agents on this machine.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import type { Offer, TaskInfo } from '../../src/mesos/types.ts';
import type { Input } from '../../src/scheduler/decide/inputs.ts';
import { step } from '../../src/scheduler/decide/step.ts';
import { appSchema } from '../../src/scheduler/domain/app-schema.ts';
import { createState } from '../../src/scheduler/domain/state.ts';
import { optionsFrom } from '../../src/scheduler/flags/options.ts';
import { readFlags } from '../../src/scheduler/flags/parse-flags.ts';
import { askJson } from '../contract/support/programs.ts';
import { until } from '../e2e/demo-cluster.ts';
import { BUSYBOX, makeTestImages } from '../e2e/support/busybox-image.ts';
import { machine, median } from './figures.ts';
import { byMinimalFramework, byScheduler, COMMAND_APP } from './scheduler/launches.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const EXECUTOR = path.join(ROOT, 'dist/executors/docker');
const CLUSTER = 'bench-real-mesos';
/** The most tasks of one executor, as of the scheduler. */
const TASKS_OF_SLOT = 200;
const PATIENCE_MS = 1_200_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    commands: { type: 'string', default: '1000' },
    containers: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '1' },
  },
});
const [master] = positionals;
if (master === undefined) throw new Error('expected MASTER:PORT');
const FLAGS = [
  ...['--master', master, '--docker_executor', EXECUTOR],
  ...['--cluster', CLUSTER, '--framework_name', CLUSTER],
];
const directory = mkdtempSync(path.join(tmpdir(), 'mesosup-real-mesos-'));
const KINDS = {
  commands: COMMAND_APP,
  containers: {
    cpus: 0.01,
    mem: 6,
    portDefinitions: [],
    args: ['sleep', '100200'],
    container: { type: 'DOCKER', docker: { image: BUSYBOX } },
  },
};

console.log(`${machine()}, load ${loadavg()[0]?.toFixed(1)}`);
try {
  if (Number(values.containers) > 0) await makeTestImages();
  for (const kind of ['commands', 'containers'] as const) {
    const count = Number(values[kind]);
    if (count > 0) await compare(kind, count);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function compare(kind: keyof typeof KINDS, count: number): Promise<void> {
  const { slaves } = await askJson<{ slaves: { active: boolean }[] }>(master ?? '', '/slaves');
  const agents = slaves.filter(({ active }) => active).length;
  console.log(`${count} ${kind} on ${agents} agents`);
  const minimal: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const ways = [
      async () => {
        const each = Math.ceil(count / agents);
        const launch = tasksLike(launchedByScheduler(kind));
        const took = await byMinimalFramework(master ?? '', count, { each, launch });
        minimal.push(took);
        return `minimal framework ${(took / 1000).toFixed(1)} s`;
      },
      async () => {
        const name = `${kind}${round}`;
        const took = await byScheduler(path.join(directory, name), FLAGS, {
          ...KINDS[kind],
          id: '/bench',
          instances: count,
        });
        ours.push(took);
        return `scheduler ${(took / 1000).toFixed(1)} s`;
      },
    ];
    // Each way comes first in turn: the first one may find colder caches.
    for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
      console.log(`  ${await way()}, load ${loadavg()[0]?.toFixed(1)}`);
      await nothingRuns();
    }
  }
  const [a, b] = [median(ours), median(minimal)];
  console.log(
    `${count} ${kind}, median of ${values.rounds}: scheduler ${(a / 1000).toFixed(1)} s, minimal framework ${(b / 1000).toFixed(1)} s, ratio ${(a / b).toFixed(3)}`,
  );
}

/** Ends the schedulers' frameworks, and waits until Mesos has no tasks, and Docker no containers of these tasks. */
async function nothingRuns(): Promise<void> {
  const { frameworks } = await askJson<{ frameworks: { id: string; name: string }[] }>(
    master ?? '',
    '/frameworks',
  );
  for (const { id, name } of frameworks) {
    const body = new URLSearchParams({ frameworkId: id });
    if (name === CLUSTER) await fetch(`http://${master}/teardown`, { method: 'POST', body });
  }
  await until(
    'nothing runs',
    async () => {
      const metrics = await askJson<Record<string, number>>(master ?? '', '/metrics/snapshot');
      const filter = ['--filter', `label=mesosup.cluster=${CLUSTER}`];
      const { stdout } = await execa('docker', ['ps', '--all', '--quiet', ...filter]);
      return metrics['master/tasks_running'] === 0 && metrics['master/tasks_killing'] === 0 && stdout === '';
    },
    PATIENCE_MS,
  );
}

/** @returns the TaskInfo of the scheduler for one task on an agent with plenty of resources */
function launchedByScheduler(kind: keyof typeof KINDS): TaskInfo {
  const { settings } = optionsFrom(readFlags(FLAGS, {}));
  const state = createState(settings);
  const resources = (['cpus', 'mem', 'disk'] as const).map((name) => ({
    name,
    type: 'SCALAR' as const,
    scalar: { value: 10_000 },
    role: '*',
    allocation_info: { role: '*' },
  }));
  const offer: Offer = {
    id: { value: 'offer' },
    framework_id: { value: 'framework' },
    agent_id: { value: 'agent' },
    hostname: 'host',
    resources,
  };
  const app = appSchema.parse({ ...KINDS[kind], id: '/bench', instances: 1 });
  const inputs: Input[] = [
    {
      type: 'mesos',
      event: { type: 'SUBSCRIBED', subscribed: { framework_id: { value: 'framework' } } },
    },
    {
      type: 'change',
      changes: [{ op: 'create', app, api: 'v2' }],
      force: false,
      seed: 0,
    },
    { type: 'mesos', event: { type: 'OFFERS', offers: { offers: [offer] } } },
  ];
  for (const input of inputs) {
    for (const call of step(state, [input], Date.now()).calls) {
      if (call.type !== 'ACCEPT') continue;
      for (const operation of call.accept.operations)
        if (operation.type === 'LAUNCH') return operation.launch.task_infos[0] ?? fail();
    }
  }
  return fail();
}

function fail(): never {
  throw new Error('the scheduler launched nothing');
}

/** @returns makes the TaskInfos of an agent like this one */
function tasksLike(one: TaskInfo): (agentId: string, from: number, count: number) => TaskInfo[] {
  const id = one.task_id.value;
  return (agentId, from, count) =>
    Array.from({ length: count }, (_, i) => {
      const text = JSON.stringify(one).replaceAll(id, `minimal.${from + i}`);
      const info = JSON.parse(text) as TaskInfo;
      if (!info.executor) return { ...info, agent_id: { value: agentId } };
      const slot = info.executor.executor_id.value.replace(/\d+$/, String(Math.floor(i / TASKS_OF_SLOT)));
      return {
        ...info,
        agent_id: { value: agentId },
        executor: { ...info.executor, executor_id: { value: slot } },
        ...(info.data !== undefined && {
          data: Buffer.from(
            Buffer.from(one.data ?? '', 'base64')
              .toString()
              .replaceAll(id, `minimal.${from + i}`),
          ).toString('base64'),
        }),
      };
    });
}
