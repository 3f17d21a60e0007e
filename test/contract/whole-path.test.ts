/** End to end: an app posted to mesosup's scheduler becomes a container of mesosup's executor, on this Mesos. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUSYBOX, makeTestImages, WITH_PORTS } from '../e2e/support/busybox-image.ts';
import { unique } from './support/framework.ts';
import { agentAddress, getJson, master } from './support/mesos.ts';

const checkout = path.resolve(import.meta.dirname, '../..');
const executor = path.join(checkout, 'dist/executors/docker');
const name = unique('contract');
const DEADLINE = { timeout: 30_000, interval: 100 };

interface Task {
  id: string;
  host: string;
  ports: number[];
}

let directory: string;
let scheduler: ChildProcess;
let api: string;

/** Starts the scheduler, with the data of an earlier run, if any. */
async function startScheduler(): Promise<void> {
  const flags = {
    master,
    http_address: '127.0.0.1',
    http_port: '0',
    data_dir: directory,
    docker_executor: executor,
    framework_name: name,
    reconciliation_initial_delay: '500',
  };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  scheduler = spawn(process.execPath, [path.join(checkout, 'src/scheduler/main.ts'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (!scheduler.stderr) throw new Error('the scheduler has no stderr');
  const output: string[] = [];
  const lines = createInterface({ input: scheduler.stderr });
  api = await new Promise((resolve, reject) => {
    scheduler.once('exit', (code) =>
      reject(new Error(`the scheduler exited with ${code}:\n${output.join('\n')}`)),
    );
    lines.on('line', (line) => {
      output.push(line);
      const url = /listening on (http:[^"\s]+)/.exec(line)?.[1];
      if (url) resolve(url);
    });
  });
}

async function endScheduler(signal: NodeJS.Signals): Promise<void> {
  if (scheduler.exitCode !== null || scheduler.signalCode !== null) return;
  scheduler.kill(signal);
  await once(scheduler, 'exit');
}

async function post(route: string, body: unknown): Promise<number> {
  const response = await fetch(`${api}${route}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response.status;
}

async function tasksOf(app: string): Promise<Task[]> {
  const response = await fetch(`${api}/v1/apps/${app}/tasks`);
  const answer = (await response.json()) as Record<string, Task[]>;
  return answer[app] ?? [];
}

interface Framework {
  id: string;
  name: string;
  tasks: { id: string; state: string }[];
  executors: unknown[];
}

async function framework(): Promise<Framework> {
  const { frameworks } = await getJson<{ frameworks: Framework[] }>(master, '/state');
  const found = frameworks.find((entry) => entry.name === name);
  if (!found) throw new Error(`the master at ${master} knows no framework ${name}`);
  return found;
}

/** Lists the containers of a framework's tasks, running or not, by task id. */
async function containers(frameworkId?: string): Promise<Record<string, string>> {
  const { stdout } = await execa('docker', [
    'ps',
    '--all',
    '--no-trunc',
    '--filter',
    `label=mesosup.framework=${frameworkId ?? (await framework()).id}`,
    '--format',
    '{{.Label "mesosup.task"}} {{.ID}}',
  ]);
  return Object.fromEntries(
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' ') as [string, string]),
  );
}

/** Removes the framework like an operator. */
async function tearDown(): Promise<void> {
  const { id } = await framework();
  const response = await fetch(`http://${master}/master/teardown`, {
    method: 'POST',
    body: `frameworkId=${id}`,
  });
  expect(response.status).toBe(200);
}

/** Waits for the given number of endpoints. */
async function endpoints(app: string, count: number): Promise<void> {
  const servers = async () => {
    const headers = { Accept: 'application/json' };
    const response = await fetch(`${api}/v1/endpoints/${app}`, { headers });
    return ((await response.json()) as { instances: unknown[] }).instances.length;
  };
  await expect.poll(servers, DEADLINE).toBe(count);
}

beforeAll(async () => {
  if (!existsSync(executor)) await execa(process.execPath, ['bin/build.ts'], { cwd: checkout });
  await makeTestImages();
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-whole-path-'));
  await startScheduler();
}, 120_000);

afterAll(async () => {
  if (!scheduler) return;
  await endScheduler('SIGTERM');
  await tearDown().catch(() => {});
  await rm(directory, { recursive: true, force: true });
});

describe('an app with the Docker executor', () => {
  const app = unique('web');
  const definition = {
    id: app,
    cmd: `${WITH_PORTS} httpd -f -p 9000 -h /tmp`,
    executor,
    // The image EXPOSEs 53, 7000 and 9000, in this order.
    ports: [18_053, 18_700, 18_900],
    instances: 2,
    cpus: 0.1,
    mem: 32,
  };
  let tasks: Task[];

  it('runs, with one container per task, and answers on its host ports', async () => {
    expect(await post('/v1/apps/start', definition)).toBe(204);
    await endpoints(app, 2);
    tasks = await tasksOf(app);
    expect(Object.keys(await containers()).sort()).toEqual(tasks.map(({ id }) => id).sort());
    const host = (await agentAddress()).split(':')[0];
    for (const { ports } of tasks) {
      // Docker's proxy accepts connections shortly before the server in the container.
      const status = () => fetch(`http://${host}:${ports[2]}/`).then((answer) => answer.status);
      await expect.poll(() => status().catch(String), DEADLINE).toBe(404);
    }
  });

  it('is known to the master as two tasks of one shared executor', async () => {
    const { tasks: known, executors } = await framework();
    expect(known.map(({ id, state }) => `${id} ${state}`).sort()).toEqual(
      tasks.map(({ id }) => `${id} TASK_RUNNING`).sort(),
    );
    expect(executors).toHaveLength(1);
  });

  it('continues after a kill -9 of the scheduler: no container is restarted or duplicated', async () => {
    const before = await containers();
    await endScheduler('SIGKILL');
    await startScheduler();
    await endpoints(app, 2);
    expect((await tasksOf(app)).map(({ id }) => id).sort()).toEqual(tasks.map(({ id }) => id).sort());
    expect(await post('/v1/apps/scale', { id: app, instances: 3 })).toBe(204);
    await endpoints(app, 3);
    expect(await containers()).toMatchObject(before);
    expect(Object.keys(await containers())).toHaveLength(3);
  });

  it('gets a new container for a killed one', async () => {
    const [task, id] = Object.entries(await containers())[0] ?? [];
    await execa('docker', ['kill', id ?? '']);
    const replaced = async () => {
      const now = Object.keys(await containers());
      return now.length === 3 && !now.includes(task ?? '');
    };
    await expect.poll(replaced, DEADLINE).toBe(true);
    await endpoints(app, 3);
  });

  it('leaves no containers behind when it is stopped', async () => {
    expect(await post('/v1/apps/stop', { id: app })).toBe(204);
    await expect.poll(() => containers(), DEADLINE).toEqual({});
  });
});

it('an app without an executor runs as a plain command of Mesos', async () => {
  const app = unique('command');
  expect(
    await post('/v1/apps/start', { id: app, cmd: 'exec sleep 600', instances: 1, cpus: 0.1, mem: 32 }),
  ).toBe(204);
  await endpoints(app, 1);
  expect(await post('/v1/apps/stop', { id: app })).toBe(204);
  await expect.poll(async () => (await fetch(`${api}/v1/endpoints/${app}`)).status, DEADLINE).toBe(404);
});

it('a framework torn down by the operator leaves no container behind, and its scheduler ends', async () => {
  const app = unique('torn-down');
  const cmd = `${BUSYBOX} sleep 600`;
  expect(await post('/v1/apps/start', { id: app, cmd, executor, instances: 2, cpus: 0.1, mem: 32 })).toBe(
    204,
  );
  await endpoints(app, 2);
  const { id } = await framework();
  expect(Object.keys(await containers(id))).toHaveLength(2);
  const ended = scheduler.exitCode === null ? once(scheduler, 'exit') : [scheduler.exitCode];
  await tearDown();
  await expect.poll(() => containers(id), DEADLINE).toEqual({});
  expect((await ended)[0]).toBe(1);
});
