/** What the scheduler's API shows of tasks that drain, run and end. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from './demo-cluster.ts';
import { makeExecutorDist } from './support/executor-process.ts';
import { type SchedulerCluster, settled, startSchedulerCluster } from './support/scheduler-cluster.ts';
import { makeTaskImages, taskImage } from './support/task-images.ts';

let cluster: SchedulerCluster;
let dist: string;
beforeAll(async () => {
  await makeTaskImages('fails', 'web');
  dist = await makeExecutorDist();
  cluster = await startSchedulerCluster({ docker_executor: path.join(dist, 'executors/docker') });
});
afterAll(async () => {
  await cluster?.stop();
  await rm(dist, { recursive: true, force: true });
});

interface Task {
  id: string;
  state: string;
  ipAddresses: { ipAddress: string; protocol: string }[];
}

async function ask<T>(method: string, route: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${cluster.url}${route}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
  });
  if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

async function tasksOf(app: string): Promise<Task[]> {
  return (await ask<{ tasks: Task[] }>('GET', `/v2/apps/${app}/tasks`)).tasks;
}

async function endpointsOf(app: string): Promise<number> {
  const text = await (await fetch(`${cluster.url}/v1/endpoints/${app}`)).text();
  return text.split(' ').filter((word) => /:\d+$/.test(word)).length;
}

/** Records the events of an app's tasks, in order, as `type state`. */
async function record(app: string, signal: AbortSignal): Promise<{ seen: string[]; done: Promise<void> }> {
  const { body } = await fetch(`${cluster.url}/v2/events`, {
    headers: { Accept: 'text/event-stream' },
    signal,
  });
  const seen: string[] = [];
  const read = async () => {
    let text = '';
    for await (const chunk of body ?? []) {
      text += Buffer.from(chunk).toString();
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines.filter((one) => one.startsWith('data: '))) {
        const event = JSON.parse(line.slice(6)) as Record<string, string>;
        if ((event.runSpecId ?? event.appId) !== app) continue;
        seen.push(`${event.eventType} ${event.condition ?? event.taskStatus ?? ''}`.trim());
      }
    }
  };
  return { seen, done: read().catch(() => {}) };
}

it('a drained task leaves the endpoints first, and is killed later', async () => {
  const app = { id: '/drains', cmd: 'exec sleep 600', cpus: 0.1, mem: 16, portDefinitions: [{ port: 0 }] };
  await ask('POST', '/v2/apps', { ...app, drainSeconds: 3 });
  await settled(cluster.url);
  expect(await endpointsOf('drains')).toBe(1);
  const listening = new AbortController();
  const { seen, done } = await record('/drains', listening.signal);
  const [before] = await tasksOf('drains');
  await ask('DELETE', '/v2/apps/drains/tasks');
  expect(await endpointsOf('drains')).toBe(0);
  expect((await tasksOf('drains')).map(({ id, state }) => [id, state])).toEqual([
    [before?.id, 'TASK_RUNNING'],
  ]);
  await until('the task is replaced', async () => {
    const [task] = await tasksOf('drains');
    return task !== undefined && task.id !== before?.id && (await endpointsOf('drains')) === 1;
  });
  listening.abort();
  await done;
  const [draining, ...others] = seen;
  expect(draining).toBe('instance_draining');
  // At the kill, and by the update of the executor.
  const conditions = [...new Set(others.filter((one) => one.startsWith('instance_changed')))];
  expect(conditions.slice(0, 2)).toEqual(['instance_changed_event Killing', 'instance_changed_event Killed']);
});

it('a task has the addresses of its container', async () => {
  await ask('POST', '/v2/apps', {
    id: '/addressed',
    cpus: 0.1,
    mem: 16,
    container: {
      type: 'DOCKER',
      docker: { image: taskImage('web') },
      portMappings: [{ containerPort: 80 }],
    },
    networks: [{ mode: 'container/bridge' }],
  });
  await settled(cluster.url);
  const [task] = await tasksOf('addressed');
  const [address] = task?.ipAddresses ?? [];
  expect(address?.protocol).toBe('IPv4');
  // A task runs before its web server listens.
  await expect
    .poll(async () => (await fetch(`http://${address?.ipAddress}/`)).text(), { timeout: 20_000 })
    .toBe('hello\n');
});

it('an app shows why its last task failed', async () => {
  await ask('POST', '/v2/apps', {
    id: '/fails',
    cpus: 0.1,
    mem: 16,
    container: { type: 'DOCKER', docker: { image: taskImage('fails') } },
  });
  const read = async () =>
    (await ask<{ app: { lastTaskFailure?: { message: string } } }>('GET', '/v2/apps/fails')).app
      .lastTaskFailure;
  await until('a task has failed', async () => (await read()) !== undefined);
  expect((await read())?.message).toMatch(
    /^Container exited with status 3\. Last lines of stderr:\nline 11\n(?:line \d+\n){8}no database$/,
  );
});
