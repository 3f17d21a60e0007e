/** Persistent volumes of commands without a container, on each kind of disk that Mesos has. */

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { type Program, Programs } from './support/programs.ts';
import { type SchedulerProcess, startScheduler } from './support/zookeeper-schedulers.ts';

const WITHIN = { timeout: 40_000, interval: 100 };
const ROLE = 'databases';

let programs: Programs;
let master: string;
let agent: Program;
let agentFlags: string[];
let scheduler: SchedulerProcess;
let url: string;

const rootOf = (disk: string) => path.join(programs.directory, disk);

function disk(type: 'path' | 'mount', name: string, size: number) {
  const source = { type: type.toUpperCase(), [type]: { root: rootOf(name) } };
  return { name: 'disk', type: 'SCALAR', scalar: { value: size }, disk: { source } };
}

beforeAll(async () => {
  programs = new Programs();
  for (const name of ['slow', 'fast', 'whole']) mkdirSync(rootOf(name));
  const scalar = (name: string, value: number) => ({ name, type: 'SCALAR', scalar: { value } });
  const resources = [
    ...[scalar('cpus', 4), scalar('mem', 1024), scalar('disk', 1000)],
    { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 31_000, end: 31_009 }] } },
    ...[disk('path', 'slow', 300), disk('path', 'fast', 300), disk('mount', 'whole', 200)],
  ];
  const [port = 0] = await freePorts(1);
  master = (await programs.master()).address;
  const flags = programs.agentFlags(master).filter((one) => !one.startsWith('--resources='));
  agentFlags = [...flags, `--port=${port}`, `--resources=${JSON.stringify(resources)}`];
  agent = await programs.start('agent', agentFlags);
  const data = path.join(programs.directory, 'state');
  scheduler = startScheduler('--master', master, '--data_dir', data, '--mesos_role', ROLE);
  url = await scheduler.url();
});

afterAll(async () => {
  await scheduler?.kill();
  await programs?.[Symbol.asyncDispose]();
});

async function send(method: string, where: string, body?: unknown): Promise<void> {
  const init = { method, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const answer = await fetch(`${url}${where}`, init);
  expect([answer.ok, await answer.text()]).toEqual([true, expect.any(String)]);
}

/** Each task adds a line to a file of the volume; the number of lines is the number of tasks. */
async function create(id: string, persistent: object): Promise<void> {
  await send('POST', '/v2/apps', {
    id,
    cmd: 'echo "$MESOS_TASK_ID" >> data/tasks && exec sleep 100600',
    ...{ cpus: 0.1, mem: 16, taskKillGracePeriodSeconds: 1 },
    container: { type: 'MESOS', volumes: [{ containerPath: 'data', mode: 'RW', persistent }] },
  });
}

interface Task {
  id: string;
  state: string;
  localVolumes: { persistenceId: string }[];
}

/** @param after the task that is replaced */
function running(id: string, after?: string): Promise<Task> {
  return vi.waitFor(async () => {
    const { tasks } = (await (await fetch(`${url}/v2/apps${id}/tasks`)).json()) as { tasks: Task[] };
    const task = tasks.find((one) => one.state === 'TASK_RUNNING' && one.id !== after);
    if (!task) throw new Error(`${JSON.stringify(tasks)} ${await (await fetch(`${url}/v2/queue`)).text()}`);
    return task;
  }, WITHIN);
}

/** The ids of the tasks that have written to a volume. */
function writers(directory: string): Promise<string[]> {
  return vi.waitFor(() => {
    const lines = readFileSync(path.join(directory, 'tasks'), 'utf8').trim().split('\n');
    expect(lines[0]).not.toBe('');
    return lines;
  }, WITHIN);
}

async function reserved(): Promise<unknown> {
  const { slaves } = (await (await fetch(`http://${master}/slaves`)).json()) as {
    slaves: { reserved_resources: Record<string, unknown> }[];
  };
  return slaves[0]?.reserved_resources[ROLE];
}

async function removed(): Promise<void> {
  await vi.waitFor(async () => expect(await reserved()).toBeUndefined(), WITHIN);
}

it('data on the disk of the work directory outlives the task and the agent, and is deleted with wipe', async () => {
  await create('/root', { size: 32 });
  const first = await running('/root');
  const [volume] = first.localVolumes;
  const directory = path.join(
    ...[programs.directory, 'agent', 'volumes/roles', ROLE, volume?.persistenceId ?? ''],
  );
  expect(await writers(directory)).toEqual([first.id]);
  await send('DELETE', `/v2/apps/root/tasks/${first.id}`);
  const second = await running('/root', first.id);
  expect(second.localVolumes).toEqual(first.localVolumes);
  await vi.waitFor(async () => expect(await writers(directory)).toEqual([first.id, second.id]), WITHIN);

  await agent.kill('SIGKILL');
  agent = await programs.start('agent', agentFlags);
  await send('DELETE', `/v2/apps/root/tasks/${second.id}`);
  const third = await running('/root', second.id);
  await vi.waitFor(async () => {
    expect(await writers(directory)).toEqual([first.id, second.id, third.id]);
  }, WITHIN);

  await send('DELETE', '/v2/apps/root/tasks?wipe=true');
  await vi.waitFor(() => expect(existsSync(directory)).toBe(false), WITHIN);
  expect((await running('/root', third.id)).localVolumes).not.toEqual(first.localVolumes);
  await send('DELETE', '/v2/apps/root');
  await removed();
}, 120_000);

it('a volume of type path is on the disk that the constraints of its path allow', async () => {
  await create('/path', { type: 'path', size: 32, constraints: [['path', 'LIKE', '.*/fast']] });
  const first = await running('/path');
  const directory = path.join(
    rootOf('fast'),
    'volumes/roles',
    ROLE,
    first.localVolumes[0]?.persistenceId ?? '',
  );
  expect(await writers(directory)).toEqual([first.id]);
  expect(await reserved()).toMatchObject({ disk: 32 });
  await send('DELETE', `/v2/apps/path/tasks/${first.id}`);
  const second = await running('/path', first.id);
  await vi.waitFor(async () => expect(await writers(directory)).toEqual([first.id, second.id]), WITHIN);
  expect(readdirSync(rootOf('slow'))).toEqual([]);
  await send('DELETE', '/v2/apps/path');
  await removed();
  // The agent deletes the data after the master has released the disk.
  await vi.waitFor(() => expect(existsSync(directory)).toBe(false), WITHIN);
}, 120_000);

it('a volume of type mount is a disk as a whole, which is emptied at the end', async () => {
  await create('/mount', { type: 'mount', size: 100 });
  const first = await running('/mount');
  expect(await writers(rootOf('whole'))).toEqual([first.id]);
  expect(await reserved()).toMatchObject({ disk: 200 });
  await send('DELETE', `/v2/apps/mount/tasks/${first.id}`);
  const second = await running('/mount', first.id);
  await vi.waitFor(async () => expect(await writers(rootOf('whole'))).toEqual([first.id, second.id]), WITHIN);
  await send('DELETE', '/v2/apps/mount');
  await removed();
  await vi.waitFor(() => expect(readdirSync(rootOf('whole'))).toEqual([]), WITHIN);
}, 120_000);
