/** A Redis with a persistent volume keeps its data, until the instance is wiped. */

import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { buildRedisImage } from '../../src/demo/image.ts';
import { restartEmbedded } from '../contract/support/embedded.ts';
import { makeExecutorDist } from './support/executor-process.ts';
import { type SchedulerCluster, startSchedulerCluster } from './support/scheduler-cluster.ts';

const IMAGE = 'mesosup-test/redis';
const ROLE = 'databases';

let dist: string;
let cluster: SchedulerCluster;

beforeAll(async () => {
  const known = await execa('docker', ['image', 'inspect', IMAGE], { reject: false });
  if (known.exitCode !== 0) await buildRedisImage(IMAGE, () => {});
  dist = await makeExecutorDist();
  cluster = await startSchedulerCluster({
    docker_executor: path.join(dist, 'executors/docker'),
    mesos_role: ROLE,
    failover_timeout: '3600',
  });
}, 120_000);
afterAll(async () => {
  await cluster.stop();
  await rm(dist, { recursive: true, force: true });
}, 60_000);

interface Task {
  id: string;
  state: string;
  ports: number[];
  localVolumes: { persistenceId: string }[];
}

async function running(): Promise<Task> {
  return vi.waitFor(async () => {
    const answer = await fetch(`${cluster.url}/v2/apps/redis/tasks`);
    const { tasks } = (await answer.json()) as { tasks: Task[] };
    const task = tasks.find(({ state }) => state === 'TASK_RUNNING');
    if (!task) throw new Error(`no task is running: ${JSON.stringify(tasks)}\n${await queue()}`);
    return task;
  }, 40_000);
}

async function queue(): Promise<string> {
  return (await fetch(`${cluster.url}/v2/queue`)).text();
}

/** Sends a command to Redis, and returns its answer without the end of the line. */
async function redis(command: string): Promise<string> {
  const { ports } = await running();
  return vi.waitFor(async () => {
    const socket = connect(ports[0] ?? 0, '127.0.0.1');
    try {
      await once(socket, 'connect');
      socket.write(`${command}\r\n`);
      // Docker's proxy accepts, and closes, connections to a server that does not listen yet.
      const closed = once(socket, 'close').then(() => {
        throw new Error('Redis closed the connection');
      });
      const [answer] = await Promise.race([once(socket, 'data'), closed]);
      return String(answer).trim();
    } finally {
      socket.destroy();
    }
  }, 20_000);
}

async function send(method: string, where: string, body?: unknown): Promise<void> {
  const answer = await fetch(`${cluster.url}${where}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  expect([answer.ok, await answer.text()]).toEqual([true, expect.anything()]);
}

async function reserved(): Promise<unknown> {
  const answer = await fetch(`http://${cluster.mesos.master}/slaves`);
  const { slaves } = (await answer.json()) as { slaves: { reserved_resources: Record<string, unknown> }[] };
  return slaves.map(({ reserved_resources }) => reserved_resources[ROLE]);
}

/** Ends the running task, and waits for the next one. */
async function replace(): Promise<Task> {
  const before = await running();
  await send('DELETE', `/v2/apps/redis/tasks/${before.id}`);
  return vi.waitFor(async () => {
    const next = await running();
    expect(next.id).not.toBe(before.id);
    return next;
  }, 40_000);
}

test('data outlives the task, the agent’s restart and the scheduler, and is deleted with wipe', async () => {
  await send('POST', '/v2/apps', {
    id: 'redis',
    args: [
      ...['redis-server', '--bind', '* -::*', '--port', '6379', '--protected-mode', 'no', '--save', ''],
      ...['--appendonly', 'yes', '--appendfsync', 'always', '--dir', '/mnt/mesos/sandbox/data'],
    ],
    cpus: 0.1,
    mem: 64,
    networks: [{ mode: 'container/bridge' }],
    container: {
      type: 'DOCKER',
      docker: { image: IMAGE },
      portMappings: [{ containerPort: 6379 }],
      volumes: [{ containerPath: 'data', mode: 'RW', persistent: { size: 32 } }],
    },
  });
  const first = await running();
  expect(first.localVolumes).toMatchObject([{ containerPath: 'data', runSpecId: '/redis' }]);
  expect(await redis('SET x 7')).toBe('+OK');

  const second = await replace();
  expect(second.localVolumes).toEqual(first.localVolumes);
  expect(second.ports).toEqual(first.ports);
  expect(await redis('GET x')).toBe('$1\r\n7');

  await restartEmbedded(cluster.mesos, 'agent');
  expect(await redis('GET x')).toBe('$1\r\n7');
  expect((await running()).id).toBe(second.id);

  await cluster.failOver();
  await replace();
  expect(await redis('GET x')).toBe('$1\r\n7');
  expect(await reserved()).toEqual([{ cpus: 0.1, mem: 64, disk: 32, gpus: 0, ports: expect.anything() }]);

  await send('DELETE', '/v2/apps/redis/tasks?wipe=true');
  await vi.waitFor(async () => {
    expect((await running()).localVolumes).not.toEqual(first.localVolumes);
  }, 40_000);
  expect(await redis('GET x')).toBe('$-1');

  await send('DELETE', '/v2/apps/redis');
  await vi.waitFor(async () => expect(await reserved()).toEqual([undefined]), 40_000);
}, 180_000);
