/** Launches command tasks with the embedded Mesos, by the scheduler and by a framework that only accepts offers. */

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createSchedulerSession } from '../../../src/mesos/scheduler-session.ts';
import type { Offer, Resource } from '../../../src/mesos/types.ts';
import type { Programs } from '../../contract/support/programs.ts';
import { startScheduler } from '../../contract/support/zookeeper-schedulers.ts';
import { until } from '../../e2e/demo-cluster.ts';

const CPUS = 0.01;
const MEM = 1;
const COMMAND = 'exec sleep 100200';

function amounts(cpus: number, mem: number): Resource[] {
  return [
    { name: 'cpus', type: 'SCALAR', scalar: { value: cpus } },
    { name: 'mem', type: 'SCALAR', scalar: { value: mem } },
  ];
}

/** @returns milliseconds until all tasks are running */
export async function byMinimalFramework(master: string, tasks: number): Promise<number> {
  let launched = 0;
  let running = 0;
  let began = 0;
  const done = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  const accept = (offer: Offer): void => {
    const infos = Array.from({ length: tasks - launched }, (_, i) => ({
      name: 'minimal',
      task_id: { value: `minimal.${launched + i}` },
      agent_id: offer.agent_id,
      resources: amounts(CPUS, MEM),
      command: { value: COMMAND, shell: true },
    }));
    launched = tasks;
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
      const { task_id, agent_id, uuid, state } = event.update.status;
      if (state === 'TASK_RUNNING') running += 1;
      if (running >= tasks) done.resolve();
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

export async function byScheduler(programs: Programs, master: string, tasks: number, name: string) {
  const directory = path.join(programs.directory, name);
  await mkdir(directory);
  const scheduler = startScheduler('--master', master, '--data_dir', directory, '--framework_name', name);
  try {
    const listening = async () => /listening on (http:[^"]+)/.exec(scheduler.said.join('\n'))?.[1];
    const url = await until('it listens', listening);
    await until('it subscribes', async () => scheduler.said.some((line) => line.includes('subscribed to')));
    const app = { id: '/bench', cmd: COMMAND, cpus: CPUS, mem: MEM, instances: tasks, portDefinitions: [] };
    const began = performance.now();
    await fetch(`${url}/v2/apps`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(app),
    });
    await until(
      'all tasks run',
      async () => {
        const answer = await fetch(`${url}/v2/apps/bench`);
        return ((await answer.json()) as { app: { tasksRunning: number } }).app.tasksRunning === tasks;
      },
      120_000,
    );
    const ms = performance.now() - began;
    await fetch(`${url}/v2/apps/bench?force=true`, { method: 'DELETE' });
    await until(
      'all tasks end',
      async () => {
        const answer = await fetch(`${url}/v2/deployments`);
        return ((await answer.json()) as unknown[]).length === 0;
      },
      120_000,
    );
    return ms;
  } finally {
    await scheduler.kill();
  }
}
