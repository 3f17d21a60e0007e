/**
 * A rolling upgrade of three schedulers on a real ZooKeeper, from release 0.1.0 and back: each release continues where the
 * other was killed, with the same tasks.
 */

import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openZooKeeper } from '../../src/zookeeper/session.ts';
import { askJson, Programs } from './support/programs.ts';
import { releasedScheduler } from './support/released.ts';
import { type Ensemble, startZooKeeper } from './support/zookeeper.ts';
import { type SchedulerProcess, startScheduler, startSchedulerOf } from './support/zookeeper-schedulers.ts';

const WITHIN = { timeout: 60_000, interval: 100 };
const APP = { cmd: 'exec sleep 100200', cpus: 0.01, mem: 1, portDefinitions: [] };

const programs = new Programs();
const schedulers: SchedulerProcess[] = [];
let zookeeper: Ensemble;
let master: string;
let old: string | undefined;

beforeAll(async () => {
  old = await releasedScheduler(path.join(programs.directory, '0.1.0'));
  zookeeper = await startZooKeeper(1);
  master = (await programs.master()).address;
  await programs.agent(master);
  programs.secret('zk', `zk://mesosup:pw@${zookeeper.hosts}/mesosup`);
}, 300_000);

afterAll(async () => {
  await Promise.all(schedulers.map((scheduler) => scheduler.kill()));
  await programs[Symbol.asyncDispose]();
  await zookeeper?.stop();
});

/** Starts a scheduler of the old release or of this checkout, and waits until it stands for election. */
async function started(main: string | undefined): Promise<SchedulerProcess> {
  const args = [
    ...['--master', master, '--zk', `file://${path.join(programs.directory, 'zk')}`],
    ...['--reconciliation_initial_delay', '200'],
  ];
  const scheduler = main === undefined ? startScheduler(...args) : startSchedulerOf(main, ...args);
  schedulers.push(scheduler);
  const address = (await scheduler.url()).slice('http://'.length);
  await vi.waitFor(async () => expect((await fetch(`http://${address}/v2/leader`)).status).toBe(200), WITHIN);
  return scheduler;
}

async function change(scheduler: SchedulerProcess, method: string, route: string, body: unknown) {
  const headers = { 'Content-Type': 'application/json' };
  const url = `${await scheduler.url()}${route}?force=true`;
  const response = await fetch(url, { method, headers, body: JSON.stringify(body) });
  expect(response.status, await response.text()).toBeLessThan(300);
}

/** Creates the znode of the sessions of people in browsers. */
async function putSessions(text: string): Promise<void> {
  const credentials = 'mesosup:pw';
  const session = await openZooKeeper({ servers: zookeeper.servers, credentials });
  try {
    await session.create('/mesosup/state/sessions', Buffer.from(text), 'creator');
  } finally {
    await session.close();
  }
}

interface Apps {
  apps: {
    id: string;
    env: object;
    instances: number;
    tasks: { id: string; state: string }[];
    deployments: [];
  }[];
}

/** Waits until this scheduler leads and all deployments have ended. @returns the tasks of each app, and of the master */
async function settled(scheduler: SchedulerProcess) {
  const address = (await scheduler.url()).slice('http://'.length);
  return vi.waitFor(async () => {
    expect(await askJson(address, '/v2/leader')).toEqual({ leader: address });
    const { apps } = await askJson<Apps>(address, '/v2/apps?embed=apps.tasks&embed=apps.deployments');
    const tasks = apps.flatMap((one) => one.tasks);
    for (const one of apps) expect([one.deployments, one.tasks.length]).toEqual([[], one.instances]);
    expect(tasks.every(({ state }) => state === 'TASK_RUNNING')).toBe(true);
    const { frameworks } = await askJson<{ frameworks: { tasks: { id: string; state: string }[] }[] }>(
      master,
      '/state',
    );
    const running = frameworks.flatMap((one) => one.tasks).filter(({ state }) => state === 'TASK_RUNNING');
    expect(running.map(({ id }) => id).sort()).toEqual(tasks.map(({ id }) => id).sort());
    return Object.fromEntries(
      apps.map(({ id, env, tasks: its }) => [id, { env, tasks: its.map((one) => one.id).sort() }]),
    );
  }, WITHIN);
}

it('goes from 0.1.0 to this release and back with the same tasks', { timeout: 600_000 }, async ({ skip }) => {
  if (old === undefined) skip('this checkout has no history, so 0.1.0 cannot be built from its commit');
  const first = await started(old);
  await change(first, 'PUT', '/v2/apps', [
    { ...APP, id: '/a', instances: 3 },
    { ...APP, id: '/b/c', instances: 1, constraints: [['hostname', 'MAX_PER', '5']] },
  ]);
  const before = await settled(first);
  const ours = await started(undefined);
  const back = await started(old);

  await first.kill();
  expect(await settled(ours)).toEqual(before);
  await change(ours, 'PUT', '/v2/apps/a', { env: { BY: 'this release' } });
  await change(ours, 'PUT', '/v2/apps/d', { ...APP, instances: 2 });
  const upgraded = await settled(ours);
  expect(upgraded['/a']?.env).toEqual({ BY: 'this release' });
  expect(upgraded['/b/c']).toEqual(before['/b/c']);

  await ours.kill();
  // As a scheduler with users keeps it there: 0.1.0 does not know it.
  await putSessions('kept');
  expect(await settled(back)).toEqual(upgraded);
  await change(back, 'PUT', '/v2/apps/d', { instances: 1 });
  const returned = await settled(back);

  const again = await started(undefined);
  await back.kill();
  expect(await settled(again)).toEqual(returned);
  await expect(putSessions('again')).rejects.toMatchObject({ code: 'NODE_EXISTS' });
});
