import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
  // Docker before 23 sets the size after the command has started.
  await client.input('until busybox stty size | busybox grep 30; do busybox sleep 0.1; done\n');
  await client.prints(/30 90/);
  await client.resize(132, 43);
  await client.input('until busybox stty size | busybox grep 43; do busybox sleep 0.1; done\n');
  await client.prints(/43 132/);
  // The terminal writes the line itself, with the quotes. The words come from a command that Ctrl-C reaches already.
  await client.input(`/bin/sh -c "echo be''gun; exec busybox sleep 1000"\n`);
  await client.prints(/begun/);
  await client.input('\u0003');
  await client.prints(/\^C[\s\S]*# /);
  await client.input('echo status=$?; exit 5\n');
  expect(await client.outcome()).toEqual({ type: 'exit', code: 5 });
  expect(client.stdout()).toMatch(/status=130/);
});

it('passes the keys on by which Docker would leave the terminal', async () => {
  const client = await exec(['cat'], { tty: true });
  // The terminal takes Ctrl-Q for itself, and writes the others with a caret.
  for (const key of 'a\u0010\u0011b\u0000c') {
    await client.input(key);
    await sleep(100);
  }
  await client.prints(/a\^Pb\^@c/);
  await client.input('\n');
  await client.input('\u0004');
  expect(await client.outcome()).toEqual({ type: 'exit', code: 0 });
});

it('does not keep more output in memory than the client takes', async () => {
  const size = 128 * 2 ** 20;
  const scheduler = await memory(cluster.pid);
  const executor = await memory(await workerPid());
  const client = await exec(['head', '-c', String(size), '/dev/zero']);
  client.pause();
  await sleep(2000);
  expect((await memory(cluster.pid)) - scheduler).toBeLessThan(40 * 2 ** 20);
  expect((await memory(await workerPid())) - executor).toBeLessThan(40 * 2 ** 20);
  client.resume();
  expect(await client.outcome()).toEqual({ type: 'exit', code: 0 });
  expect(client.bytes().length).toBe(size);
});

it('runs as another user in another directory', async () => {
  const client = await exec(['/bin/sh', '-c', 'pwd; busybox id -u'], {
    user: '1000:1000',
    workingDirectory: '/bin',
  });
  expect(await client.outcome()).toEqual({ type: 'exit', code: 0 });
  expect(client.stdout()).toBe('/bin\n1000\n');
});

it('reports a program that does not exist as Docker does', async () => {
  const client = await exec(['/none']);
  expect(await client.outcome()).toMatchObject({ type: 'exit', code: expect.any(Number) });
  expect(client.stdout() + client.stderr()).toMatch(/no such file/);
});

it.each([true, false])('ends the command if the client disappears (tty: %s)', async (tty) => {
  const client = await exec(['/bin/sh', '-c', 'echo up; trap "" HUP; sleep 1000 & sleep 1000'], { tty });
  await client.prints(/up/);
  client.kill();
  await onlyTheTaskSleeps();
});

it('is refused by the agent’s policy, with its file', async () => {
  const policy = path.join(cluster.directory, 'executor.json');
  await writeFile(policy, '{"exec": false}');
  const client = await exec(['true']);
  expect(await client.outcome()).toEqual({
    type: 'error',
    message: `${policy} on this agent forbids exec`,
  });
  await rm(policy);
});

it('runs in a container with fetched files, whose executor is its own', async () => {
  const fetched = await startApp('fetched', {
    container: { docker: { image: BUSYBOX } },
    cmd: 'sleep 1000',
    fetch: [{ uri: 'file:///etc/hostname' }],
  });
  const answer = await request('POST', `/v2/tasks/${fetched}/exec`, { argv: ['echo', 'hello'] });
  const client = await ExecClient.join(cluster.url, ((await answer.json()) as CreatedSession).url);
  expect(await client.outcome()).toEqual({ type: 'exit', code: 0 });
  expect(client.stdout()).toBe('hello\n');
});

it('is refused for a plain command', async () => {
  const plain = await startApp('plain', { cmd: 'sleep 1000' });
  const answer = await request('POST', `/v2/tasks/${plain}/exec`, { argv: ['sh'] });
  expect(answer.status).toBe(409);
  expect(await answer.text()).toContain("has no container of mesosup's Docker executor");
});

it('ends with a reason if the worker is killed, and works again with the next worker', async () => {
  const client = await exec(['/bin/sh', '-c', 'echo up; sleep 1000']);
  await client.prints(/up/);
  process.kill(await workerPid(), 'SIGKILL');
  expect(await client.outcome()).toEqual({
    type: 'error',
    message: expect.stringMatching(/connection to the executor was lost/),
  });
  const next = await exec(['echo', 'again']);
  expect(await next.outcome()).toEqual({ type: 'exit', code: 0 });
  await onlyTheTaskSleeps();
});

it('ends with a reason if the task ends', async () => {
  const client = await exec(['/bin/sh', '-c', 'echo up; sleep 1000']);
  await client.prints(/up/);
  expect((await request('DELETE', `/v2/apps/box/tasks/${task}`)).status).toBe(200);
  expect(await client.outcome()).toEqual({
    type: 'error',
    message: expect.stringMatching(/^Task '.*' has ended/),
  });
});

it('leaves who did what and how it ended in the scheduler’s log', () => {
  const lines = cluster.log.map((line) => JSON.parse(line) as Record<string, unknown>);
  const named = (msg: string) => lines.filter((line) => line.msg === msg);
  expect(named('exec session created')[0]).toMatchObject({
    user: null,
    app: '/box',
    argv: ['/bin/sh', '-c', 'echo "$A"; echo err >&2; exit 7'],
    environment: ['A'],
  });
  expect(named('exec session ended')[0]).toMatchObject({ exitCode: 7, seconds: expect.any(Number) });
  expect(named('exec session ended')).toHaveLength(named('exec session created').length);
});

/** Waits until the commands of exec sessions have ended. */
async function onlyTheTaskSleeps(): Promise<void> {
  await until('only the task itself sleeps', async () => {
    // Zombies have no command line.
    const look = await exec(['/bin/sh', '-c', 'cat /proc/[0-9]*/cmdline']);
    await look.outcome();
    return look.stdout().match(/sleep\0/g)?.length === 1;
  });
}

async function workerPid(): Promise<number> {
  for (const name of await readdir('/proc')) {
    const read = (file: string) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '');
    const isWorker = (await read('cmdline')).includes('lib/executor.js');
    const environment = isWorker ? await read('environ') : '';
    const isShared = environment.includes('MESOS_EXECUTOR_ID=mesosup-docker');
    if (isShared && environment.includes(cluster.directory)) return Number(name);
  }
  throw new Error('no worker runs');
}

/** Memory of a process in bytes. */
async function memory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}
