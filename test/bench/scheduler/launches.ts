/** Launches tasks by the scheduler, and by a framework that only accepts offers. */

import { mkdir } from 'node:fs/promises';
import { createSchedulerSession } from '../../../src/mesos/scheduler-session.ts';
import { isTerminal, type Offer, type Resource, type TaskInfo } from '../../../src/mesos/types.ts';
import { startScheduler } from '../../contract/support/zookeeper-schedulers.ts';
import { until } from '../../e2e/demo-cluster.ts';

const PATIENCE_MS = 1_200_000;
const CPUS = 0.01;
const MEM = 1;
const COMMAND = 'exec sleep 100200';

function amounts(cpus: number, mem: number): Resource[] {
  return [
    { name: 'cpus', type: 'SCALAR', scalar: { value: cpus } },
    { name: 'mem', type: 'SCALAR', scalar: { value: mem } },
  ];
}

export interface Launch {
  /** The most tasks for one agent. */
  readonly each: number;
  /** Makes the TaskInfos of an agent, with ids that end with the numbers from `from`. */
  launch(agentId: string, from: number, count: number): TaskInfo[];
}

/** An app that needs little. */
export const COMMAND_APP = { cmd: COMMAND, cpus: CPUS, mem: MEM, portDefinitions: [] };

/** Launches command tasks, all of them on the first agent. */
const COMMANDS: Launch = {
  each: Infinity,
  launch: (agentId, from, count) =>
    Array.from({ length: count }, (_, i) => ({
      name: 'minimal',
      task_id: { value: `minimal.${from + i}` },
      agent_id: { value: agentId },
      resources: amounts(CPUS, MEM),
      command: { value: COMMAND, shell: true },
    })),
};

/** @returns milliseconds until all tasks are running */
export async function byMinimalFramework(
  master: string,
  tasks: number,
  { each, launch }: Launch = COMMANDS,
): Promise<number> {
  let launched = 0;
  const running = new Set<string>();
  let began = 0;
  const used = new Set<string>();
  const done = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  const accept = (offer: Offer): void => {
    const { value: agentId } = offer.agent_id;
    const count = used.has(agentId) ? 0 : Math.min(each, tasks - launched);
    const infos = launch(agentId, launched, count);
    launched += count;
    used.add(agentId);
    const operations = infos.length > 0 ? [{ type: 'LAUNCH' as const, launch: { task_infos: infos } }] : [];
    void session.call({
      type: 'ACCEPT',
      accept: { offer_ids: [offer.id], operations, filters: { refuse_seconds: 120 } },
    });
  };
  const session = createSchedulerSession({
    detect: async () => master,
    framework: () => ({
      user: 'root',
      name: 'minimal',
      roles: ['*'],
      failover_timeout: 3600,
      checkpoint: true,
      capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }],
    }),
    suppressedRoles: () => ['*'],
    onEvent: (event) => {
      if (event.type === 'SUBSCRIBED') ready.resolve();
      if (event.type === 'OFFERS') event.offers.offers.forEach(accept);
      if (event.type !== 'UPDATE') return;
      const { task_id, agent_id, uuid, state, message } = event.update.status;
      if (state === 'TASK_RUNNING') running.add(task_id.value);
      else if (isTerminal(state)) done.reject(new Error(`${task_id.value}: ${state} ${message}`));
      if (running.size >= tasks) done.resolve();
      if (agent_id && uuid !== undefined)
        void session.call({ type: 'ACKNOWLEDGE', acknowledge: { task_id, agent_id, uuid } });
    },
    onDisconnected: (reason) => done.reject(new Error(reason)),
  });
  session.start();
  await ready.promise;
  began = performance.now();
  await session.call({ type: 'REVIVE' });
  await done.promise;
  const ms = performance.now() - began;
  await session.call({ type: 'TEARDOWN' }).catch(() => {});
  await session.stop();
  return ms;
}

/**
 * @param directory of its state; created
 * @returns milliseconds until all tasks of the app are running
 */
export async function byScheduler(
  directory: string,
  flags: readonly string[],
  app: { readonly id: string; readonly instances: number },
): Promise<number> {
  await mkdir(directory);
  const scheduler = startScheduler('--data_dir', directory, ...flags);
  try {
    const listening = async () => /listening on (http:[^"]+)/.exec(scheduler.said.join('\n'))?.[1];
    const url = await until('it listens', listening);
    await until('it subscribes', async () => scheduler.said.some((line) => line.includes('subscribed to')));
    const began = performance.now();
    await fetch(`${url}/v2/apps`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(app),
    });
    await until(
      'all tasks run',
      async () => {
        const answer = await fetch(`${url}/v2/apps${app.id}`);
        const { tasksRunning } = ((await answer.json()) as { app: { tasksRunning: number } }).app;
        return tasksRunning === app.instances;
      },
      PATIENCE_MS,
    );
    const ms = performance.now() - began;
    await fetch(`${url}/v2/apps${app.id}?force=true`, { method: 'DELETE' });
    await until(
      'all tasks end',
      async () => {
        const answer = await fetch(`${url}/v2/deployments`);
        return ((await answer.json()) as unknown[]).length === 0;
      },
      PATIENCE_MS,
    );
    return ms;
  } finally {
    await scheduler.kill();
  }
}
