/** Health checks of Mesos' executor for commands and of mesosup's executor for containers, and kill grace periods. */

import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeTaskData } from '../../src/executor/task-data.ts';
import type { HealthCheck, KillPolicy, Offer, TaskInfo, TaskStatus } from '../../src/mesos/types.ts';
import { BUSYBOX, makeTestImages } from '../e2e/support/busybox-image.ts';
import { makeExecutorDist } from '../e2e/support/executor-process.ts';
import { TestFramework, unique } from './support/framework.ts';
import { getJson, master, restart, skipUnlessRestartable } from './support/mesos.ts';
import { type Kind, openProbe, type Probe } from './support/probes.ts';
import { commandTask, executorInfo, STUBBORN } from './support/tasks.ts';

const UPDATED = 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED';
const KINDS: Kind[] = ['COMMAND', 'HTTP', 'TCP'];

let dist: string;
beforeAll(async () => {
  await makeTestImages();
  dist = await makeExecutorDist();
}, 120_000);
afterAll(() => rm(dist, { recursive: true, force: true }));

type Make = (offer: Offer, script: string, more: Partial<TaskInfo>, directory?: string) => TaskInfo;

/**
 * A container of mesosup's executor, with the directory mounted at the same path. It is in the host's network, since the
 * probe is there: a port that is not published is checked in the container's network.
 */
const dockerTask: Make = (offer, script, more, directory) => {
  const volume = directory === undefined ? [] : ['--volume', `${directory}:${directory}`];
  const options = ['--network', 'host', ...volume];
  const docker = { image: BUSYBOX, args: ['/bin/sh', '-c', script], env: {}, options };
  const { command: _, ...task } = commandTask(offer, script, more);
  return {
    ...task,
    executor: executorInfo(unique('docker'), { command: { value: `${dist}/executors/docker` } }),
    data: encodeTaskData({ id: 'contract', docker }),
  };
};

interface Checked {
  id: string;
  agentId: string;
  framework: TestFramework;
}

async function launch(
  framework: TestFramework,
  make: Make,
  script: string,
  more: Partial<TaskInfo>,
  directory?: string,
): Promise<Checked> {
  const id = unique('health');
  const offer = await framework.launch((offer) =>
    make(offer, script, { task_id: { value: id }, ...more }, directory),
  );
  return { id, agentId: offer.agent_id.value, framework };
}

/** Lists the updates of a task; Mesos may repeat each until it is acknowledged, with the same uuid. */
function updatesOf({ framework, id }: Checked): string[] {
  const all = framework.log.flatMap(({ event }) =>
    event.type === 'UPDATE' && event.update.status.task_id.value === id ? [event.update.status] : [],
  );
  return all
    .filter(({ uuid }, i) => all.findIndex((one) => one.uuid === uuid) === i)
    .map(({ state, healthy = '-' }) => `${state} ${healthy}`);
}

/** Updates without successive ones of the same state and health. */
function changesOf(task: Checked): string[] {
  return updatesOf(task).filter((text, i, all) => text !== all[i - 1]);
}

async function withProbe(kind: Kind, run: (probe: Probe) => Promise<void>): Promise<void> {
  const probe = await openProbe(kind);
  try {
    await run(probe);
  } finally {
    await probe.close();
  }
}

describe.each([
  ['a command', commandTask],
  ['a container', dockerTask],
] as [string, Make][])('%s', (_, make) => {
  it.concurrent.each(KINDS)('with a %s check is healthy, unhealthy and healthy again', async (kind) => {
    await using framework = await TestFramework.subscribe();
    await withProbe(kind, async ({ check, directory, set }) => {
      await set(true);
      const health_check: HealthCheck = { ...check, consecutive_failures: 1000 };
      const task = await launch(framework, make, 'exec sleep 600', { health_check }, directory);
      const healthy = await framework.health(task.id, true);
      expect(healthy).toMatchObject({ source: 'SOURCE_EXECUTOR', reason: UPDATED });
      expect(healthy.container_status?.network_infos?.[0]?.ip_addresses?.[0]?.ip_address).toBeDefined();
      await set(false);
      expect(await framework.health(task.id, false)).toMatchObject({ reason: UPDATED });
      await set(true);
      await framework.health(task.id, true);
      expect(changesOf(task).slice(-4)).toEqual([
        'TASK_RUNNING -',
        'TASK_RUNNING true',
        'TASK_RUNNING false',
        'TASK_RUNNING true',
      ]);
    });
  });

  it.concurrent.each(KINDS)('that fails its %s check reports each failure, and is killed', async (kind) => {
    await using framework = await TestFramework.subscribe();
    await withProbe(kind, async ({ check, directory }) => {
      const more = {
        health_check: { ...check, consecutive_failures: 3 },
        kill_policy: { grace_period: { nanoseconds: 300_000_000 } },
      };
      const task = await launch(framework, make, STUBBORN.command, more, directory);
      const killed = await framework.update(task.id, 'TASK_KILLED');
      expect(killed.healthy).toBe(false);
      expect(killed.reason).toBeUndefined();
      expect(updatesOf(task)).toEqual([
        'TASK_STARTING -',
        'TASK_RUNNING -',
        ...Array(3).fill('TASK_RUNNING false'),
        'TASK_KILLING -',
        'TASK_KILLED false',
      ]);
    });
  });

  it.concurrent('with a limit of 0 is killed at the first failure', async () => {
    await using framework = await TestFramework.subscribe();
    await withProbe('HTTP', async ({ check }) => {
      const health_check = { ...check, consecutive_failures: 0 };
      const task = await launch(framework, make, 'exec sleep 600', { health_check });
      expect(await framework.update(task.id, 'TASK_KILLED')).toMatchObject({ healthy: false });
      expect(updatesOf(task).filter((text) => text === 'TASK_RUNNING false')).toHaveLength(1);
    });
  });

  it.concurrent('may fail during its grace period', async () => {
    await using framework = await TestFramework.subscribe();
    await withProbe('HTTP', async ({ asked, check, set }) => {
      const health_check = { ...check, grace_period_seconds: 3600, consecutive_failures: 1 };
      const task = await launch(framework, make, 'exec sleep 600', { health_check });
      await expect.poll(asked, { timeout: 30_000, interval: 50 }).toBeGreaterThan(3);
      await set(true);
      await framework.health(task.id, true);
      expect(updatesOf(task)).toEqual(['TASK_STARTING -', 'TASK_RUNNING -', 'TASK_RUNNING true']);
      await set(false);
      await framework.update(task.id, 'TASK_KILLED');
    });
  });

  it.concurrent('with a COMMAND check that times out is unhealthy', async () => {
    await using framework = await TestFramework.subscribe();
    const health_check: HealthCheck = {
      type: 'COMMAND',
      command: { value: 'sleep 600' },
      delay_seconds: 0,
      grace_period_seconds: 0,
      timeout_seconds: 0.3,
    };
    const { id } = await launch(framework, make, 'exec sleep 600', { health_check });
    await framework.health(id, false);
  });

  it.concurrent('with an invalid health check is TASK_ERROR', async () => {
    await using framework = await TestFramework.subscribe();
    const { id } = await launch(framework, make, 'exit 0', { health_check: { type: 'HTTP' } });
    expect(await framework.update(id)).toMatchObject({
      state: 'TASK_ERROR',
      reason: 'REASON_TASK_INVALID',
      message: "Task uses invalid health check: Expecting 'http' to be set for HTTP health check",
    });
  });

  it.concurrent.each<[string, KillPolicy | undefined, number]>([
    // The agent's default command executor uses the old API, whose kill has no policy.
    make === dockerTask
      ? ['KILL says', { grace_period: { nanoseconds: 300_000_000 } }, 3600]
      : ['task says, regardless of the KILL', { grace_period: { nanoseconds: 3_600_000_000_000 } }, 0.3],
    ['task says, where KILL has no kill policy', undefined, 0.3],
    ['task says, where KILL has an empty one', {}, 0.3],
  ])('that ignores SIGTERM is ended after the grace that the %s', async (_who, kill_policy, seconds) => {
    await using framework = await TestFramework.subscribe();
    const own = {
      kill_policy: { grace_period: { nanoseconds: seconds * 1e9 } },
      health_check: STUBBORN.check,
    };
    const { id } = await launch(framework, make, STUBBORN.command, own);
    await framework.health(id, true);
    await framework.call({
      type: 'KILL',
      kill: { task_id: { value: id }, ...(kill_policy && { kill_policy }) },
    });
    expect((await framework.update(id, 'TASK_KILLED')).message).toMatch(/signal Killed|status 137/);
  });
});

interface State {
  frameworks: { id: string; tasks: { id: string; health_check?: unknown; statuses: TaskStatus[] }[] }[];
}

it('health is in /state and in the answer to RECONCILE, also after a restart of the agent', async (context) => {
  await using framework = await TestFramework.subscribe();
  await withProbe('HTTP', async ({ check, set }) => {
    await set(true);
    const task = await launch(framework, commandTask, 'exec sleep 600', { health_check: check });
    await framework.health(task.id, true);
    const known = async () => {
      const { frameworks } = await getJson<State>(master, '/state');
      return frameworks.find(({ id }) => id === framework.id)?.tasks.find(({ id }) => id === task.id);
    };
    const reconciled = async () => {
      await framework.call({ type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value: task.id } }] } });
      for (;;) {
        const status = await framework.update(task.id);
        if (status.reason === 'REASON_RECONCILIATION') return status;
      }
    };
    expect((await known())?.statuses.at(-1)).toMatchObject({ state: 'TASK_RUNNING', healthy: true });
    expect((await known())?.health_check).toMatchObject({ type: 'HTTP', http: check.http });
    expect(await reconciled()).toMatchObject({ state: 'TASK_RUNNING', healthy: true });
    skipUnlessRestartable('agent', context);
    await restart('agent');
    await expect
      .poll(async () => (await reconciled()).healthy, { timeout: 20_000, interval: 500 })
      .toBe(true);
    await set(false);
    expect(await framework.update(task.id, 'TASK_KILLED')).toMatchObject({ healthy: false });
  });
});
