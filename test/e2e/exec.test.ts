import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from './demo-cluster.ts';
import { BUSYBOX, makeTestImages } from './support/busybox-image.ts';
import { type CreatedSession, ExecClient } from './support/exec-client.ts';
import { type SchedulerCluster, startSchedulerCluster } from './support/scheduler-cluster.ts';

let cluster: SchedulerCluster;
let task: string;

beforeAll(async () => {
  await makeTestImages();
  cluster = await startSchedulerCluster();
  task = await startApp('box', { container: { docker: { image: BUSYBOX } }, cmd: 'sleep 1000' });
});
afterAll(() => cluster?.stop());

async function request(method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(cluster.url + path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
}

/** @returns the id of its only task, which runs */
async function startApp(id: string, more: object): Promise<string> {
  const app = { id, instances: 1, cpus: 0.1, mem: 32, ...more };
  expect((await request('POST', '/v2/apps', app)).status).toBe(201);
  let found = '';
  await until(`a task of ${id} runs`, async () => {
    const { tasks } = (await (await request('GET', `/v2/apps/${id}/tasks`)).json()) as {
      tasks: { id: string; state: string }[];
    };
    found = tasks[0]?.id ?? '';
    return tasks[0]?.state === 'TASK_RUNNING';
  });
  return found;
}

async function create(argv: string[], more: object = {}): Promise<CreatedSession> {
  const answer = await request('POST', `/v2/tasks/${task}/exec`, { argv, ...more });
  expect(answer.status).toBe(201);
  return (await answer.json()) as CreatedSession;
}

async function exec(argv: string[], more: object = {}): Promise<ExecClient> {
  return ExecClient.join(cluster.url, (await create(argv, more)).url);
}

it('runs a command with its own output streams, environment and exit code', async () => {
  const client = await exec(['/bin/sh', '-c', 'echo "$A"; echo err >&2; exit 7'], {
    environment: { A: 'a b' },
  });
  expect(await client.outcome()).toEqual({ type: 'exit', code: 7 });
  expect([client.stdout(), client.stderr()]).toEqual(['a b\n', 'err\n']);
});

it('passes 10 MB in both directions, byte for byte', async () => {
  const sent = randomBytes(10 * 2 ** 20 + 7);
  const client = await exec(['cat']);
  for (let at = 0; at < sent.length; at += 65_536) await client.input(sent.subarray(at, at + 65_536));
  await client.end();
  expect(await client.outcome()).toEqual({ type: 'exit', code: 0 });
  expect(client.bytes().equals(sent)).toBe(true);
});

it('has a terminal that is resized and interrupted', async () => {
  const client = await exec(['/bin/sh'], { tty: true, columns: 90, rows: 30 });
  await client.input('busybox stty size\n');
  await client.prints(/30 90/);
  await client.resize(132, 43);
  await client.input('busybox stty size\n');
  await client.prints(/43 132/);
  // The terminal writes the line itself, with the quotes.
  await client.input("echo be''gun; sleep 1000\n");
  await client.prints(/begun/);
  await client.input('\u0003');
  await client.input('echo status=$?; exit 5\n');
  expect(await client.outcome()).toEqual({ type: 'exit', code: 5 });
  expect(client.stdout()).toMatch(/status=130/);
});
