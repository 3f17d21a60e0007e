import { appendFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { get as httpGet, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { account, asUser } from '../../../../test/scheduler/accounts.ts';
import { type AgentOfFiles, logsOf, startAgentOfFiles } from '../../../../test/scheduler/agents.ts';
import { call, closing, get, type Server, SLEEPER, server } from '../../../../test/scheduler/api-server.ts';
import { encodeEntry } from '../../../exec/time-index.ts';

let agent: AgentOfFiles;
let one: Server;

beforeEach(async () => {
  agent = await startAgentOfFiles('framework');
  closing.push(() => agent.close());
});
afterEach(() => expect(one.faults).toEqual([]));

/** Runs a plain command. @returns the task's id */
async function runTask(more: object = {}, app: object = SLEEPER): Promise<string> {
  one = server({ logs: logsOf(agent.address), ...more });
  expect((await call(one, 'POST', '/v2/apps', app)).statusCode).toBe(201);
  await one.run();
  return one.runner.read(({ tasks }) => [...tasks.keys()][0] ?? '');
}

async function endTask(id: string): Promise<void> {
  one.mesos.advance(id, 'TASK_FINISHED');
  for (const event of one.mesos.inbox.splice(0)) await one.runner.submit({ type: 'mesos', event });
}

interface Stream {
  readonly answer: IncomingMessage;
  bytes(): Buffer;
  readonly ended: Promise<void>;
}

/** Requests over a real connection, to see the answer grow. */
async function open(path: string, headers: Record<string, string> = {}): Promise<Stream> {
  if (!one.api.server.listening) await one.api.listen({ host: '127.0.0.1', port: 0 });
  const { port } = one.api.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const request = httpGet({ host: '127.0.0.1', port, path, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      const ended = new Promise<void>((done) => answer.on('close', done));
      resolve({ answer, bytes: () => Buffer.concat(chunks), ended });
    });
    request.on('error', reject);
    closing.unshift(async () => request.destroy());
  });
}

interface Heard {
  event: string;
  data: { text?: string; lost?: boolean; message?: string };
  id: string | undefined;
}

function eventsIn(text: string): Heard[] {
  return [...text.matchAll(/event: (.*)\ndata: (.*)\n(?:id: (.*)\n)?\n/g)].map(
    ([, event = '', data, id]) => ({
      event,
      data: JSON.parse(data ?? ''),
      id,
    }),
  );
}

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

it('shows the bytes of a task that runs or has ended', async () => {
  const id = await runTask();
  agent.sandbox(id, { stdout: ALL_BYTES, stderr: 'bad\nworse\n' });
  const url = `/v2/tasks/${id}/log`;
  for (const ended of [false, true]) {
    if (ended) await endTask(id);
    const answer = await get(one, `${url}?stream=stdout`);
    expect(answer.statusCode).toBe(200);
    expect(answer.rawPayload).toEqual(ALL_BYTES);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain',
      'x-content-type-options': 'nosniff',
    });
    expect((await get(one, `${url}?stream=stderr&tail=1`)).body).toBe('worse\n');
    expect((await get(one, `${url}?tail=1`)).body).toContain('worse\n');
  }
  expect(agent.requests.at(-1)?.headers.authorization).toBe(
    `Basic ${Buffer.from('reader:s3cret').toString('base64')}`,
  );
});

it('finds the output of a container in its directory, also if only its last failure is known', async () => {
  const app = { ...SLEEPER, container: { type: 'DOCKER', docker: { image: 'i' } } };
  const id = await runTask({}, app);
  const executorId = await one.runner.read(({ tasks }) => tasks.get(id)?.executorId ?? '');
  agent.sandbox(executorId, {
    stdout: 'of the executor\n',
    stderr: '',
    [`tasks/${id}/stdout`]: '2\n',
    [`tasks/${id}/stdout.1`]: '1\n',
    [`tasks/${id}/stderr`]: '',
  });
  expect((await get(one, `/v2/tasks/${id}/log`)).body).toBe('1\n2\n');
  one.mesos.advance(id, 'TASK_FAILED');
  for (const event of one.mesos.inbox.splice(0)) await one.runner.submit({ type: 'mesos', event });
  // Another task of the executor runs, and the scheduler has been restarted.
  await one.run();
  const other = server({ logs: logsOf(agent.address) });
  other.runner.read = (reader) => one.runner.read(reader);
  expect((await get(other, `/v2/tasks/${id}/log`)).body).toBe('1\n2\n');
});

it('follows until the task has ended and everything was read', async () => {
  const id = await runTask();
  const sandbox = agent.sandbox(id, { stdout: 'first\n', stderr: '' });
  const { bytes, ended, answer } = await open(`/v2/tasks/${id}/log?follow=true&stream=stdout`);
  await vi.waitFor(() => expect(bytes().toString()).toBe('first\n'), { timeout: 20_000 });
  renameSync(join(sandbox, 'stdout'), join(sandbox, 'stdout.1'));
  appendFileSync(join(sandbox, 'stdout.1'), 'second\n');
  writeFileSync(join(sandbox, 'stdout'), 'third\n');
  await vi.waitFor(() => expect(bytes().toString()).toBe('first\nsecond\nthird\n'), { timeout: 20_000 });
  appendFileSync(join(sandbox, 'stdout'), 'without an end of the line');
  await endTask(id);
  await ended;
  expect(answer.complete).toBe(true);
  expect(bytes().toString()).toBe('first\nsecond\nthird\nwithout an end of the line');
});

it('sends events, which resume where they ended', async () => {
  const id = await runTask();
  const invalid = Buffer.from([0x61, 0xff, 0x0a]);
  const sandbox = agent.sandbox(id, { stdout: invalid, stderr: 'event: fake\ndata: 1\n\n' });
  const accept = { accept: 'text/event-stream' };
  const first = await open(`/v2/tasks/${id}/log?follow=true`, accept);
  expect(first.answer.headers['content-type']).toBe('text/event-stream');
  await vi.waitFor(() => expect(eventsIn(first.bytes().toString())).toHaveLength(2), { timeout: 20_000 });
  const [out, err] = eventsIn(first.bytes().toString());
  expect([out?.event, out?.data, err?.event, err?.data]).toEqual([
    'stdout',
    { text: 'a\ufffd\n' },
    'stderr',
    { text: 'event: fake\ndata: 1\n\n' },
  ]);
  first.answer.destroy();
  appendFileSync(join(sandbox, 'stdout'), 'more\n');
  const resumed = await open(`/v2/tasks/${id}/log?follow=true`, {
    ...accept,
    'last-event-id': err?.id ?? '',
  });
  await vi.waitFor(() => expect(eventsIn(resumed.bytes().toString())).toHaveLength(1), { timeout: 20_000 });
  await endTask(id);
  await resumed.ended;
  expect(eventsIn(resumed.bytes().toString()).map(({ event, data }) => [event, data])).toEqual([
    ['stdout', { text: 'more\n' }],
    ['end', {}],
  ]);
});

const LAUNCHED = 1_700_000_000_000;
const CONTAINER = { ...SLEEPER, container: { type: 'DOCKER', docker: { image: 'i' } } };

/** The index of output with a line of 7 bytes each minute after the launch. */
const minutes = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    encodeEntry({ time: LAUNCHED + i * 60_000, file: 0, inode: 1, offset: i * 7 }),
  ).join('');

it('shows the output since a time, of a container that runs or has ended', async () => {
  const id = await runTask({ now: () => LAUNCHED + 600_000 }, CONTAINER);
  const executorId = await one.runner.read(({ tasks }) => tasks.get(id)?.executorId ?? '');
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join('');
  const sandbox = agent.sandbox(executorId, {
    [`tasks/${id}/stdout`]: lines(0, 10),
    [`tasks/${id}/stdout.times`]: minutes(10),
    [`tasks/${id}/stderr`]: '',
    [`tasks/${id}/stderr.times`]: '',
  });
  const url = `/v2/tasks/${id}/log`;
  const time = (minute: number) => new Date(LAUNCHED + minute * 60_000).toISOString();
  for (const ended of [false, true]) {
    if (ended) await endTask(id);
    const body = async (query: string) => (await get(one, `${url}?${query}`)).body;
    expect(await body('since=2m')).toBe(lines(8, 10));
    expect(await body(`since=${time(5)}`)).toBe(lines(5, 10));
    expect(await body(`since=${time(5).replace('Z', '+00:00')}`)).toBe(lines(5, 10));
    expect(await body('since=5m30s&tail=2&stream=stdout')).toBe(lines(8, 10));
    expect(await body('since=1m&tail=9&stream=stdout')).toBe(lines(9, 10));
    expect(await body('since=0s')).toBe('');
    expect(await body('since=2h')).toBe(lines(0, 10));
  }
  const events = await open(`${url}?since=0s`, { accept: 'text/event-stream' });
  await events.ended;
  const [, resumed = ''] = /^id: (.*)\n/.exec(events.bytes().toString()) ?? [];
  appendFileSync(join(sandbox, `tasks/${id}/stdout`), 'more\n');
  const headers = { accept: 'text/event-stream', 'last-event-id': resumed };
  expect(eventsIn((await call(one, 'GET', `${url}?since=2h`, undefined, headers)).body)).toMatchObject([
    { event: 'stdout', data: { text: 'more\n' } },
    { event: 'end' },
  ]);
});

it('names the place of the start before the first event, so that a client continues there', async () => {
  const id = await runTask();
  const sandbox = agent.sandbox(id, { stdout: 'old\n', stderr: '' });
  const accept = { accept: 'text/event-stream' };
  const first = await open(`/v2/tasks/${id}/log?follow=true&tail=0`, accept);
  await vi.waitFor(() => expect(first.bytes().toString()).toMatch(/^id: .+\n\n/), { timeout: 20_000 });
  first.answer.destroy();
  const [, start = ''] = /^id: (.*)\n/.exec(first.bytes().toString()) ?? [];
  // Both were rotated while nobody read.
  for (const name of ['stdout', 'stderr']) {
    appendFileSync(join(sandbox, name), `${name} 1\n`);
    renameSync(join(sandbox, name), join(sandbox, `${name}.1`));
    writeFileSync(join(sandbox, name), `${name} 2\n`);
  }
  const resumed = await open(`/v2/tasks/${id}/log?tail=0`, { ...accept, 'last-event-id': start });
  await resumed.ended;
  const texts = eventsIn(resumed.bytes().toString()).map(({ event, data }) => [event, data.text]);
  expect(texts).toEqual([
    ['stdout', 'stdout 1\n'],
    ['stderr', 'stderr 1\n'],
    ['stdout', 'stdout 2\n'],
    ['stderr', 'stderr 2\n'],
    ['end', undefined],
  ]);
});

it('refuses since for output without times, unless the task was launched later', async () => {
  const id = await runTask({ now: () => LAUNCHED + 600_000 });
  agent.sandbox(id, { stdout: 'out\n', stderr: 'err\n' });
  const url = `/v2/tasks/${id}/log`;
  const refused = await get(one, `${url}?since=9m`);
  expect([refused.statusCode, refused.json()]).toEqual([
    422,
    {
      message: 'Object is not valid',
      details: [
        {
          path: '/since',
          errors: [
            expect.stringMatching(/^can't be used for this task: its output has no times\. Only mesosup's/),
          ],
        },
      ],
    },
  ]);
  expect((await get(one, `${url}?since=10m`)).body).toBe('out\nerr\n');
  expect((await get(one, `${url}?since=11m&tail=0`)).body).toBe('');
});

it('never joins lines of both streams, and does not part a long one', async () => {
  const id = await runTask();
  const long = `${'x'.repeat(200_000)}\n`;
  agent.sandbox(id, { stdout: `${long}half a line`, stderr: 'err\n'.repeat(20_000) });
  const { body } = await get(one, `/v2/tasks/${id}/log`);
  expect(body.startsWith(long)).toBe(true);
  expect(body.split('\n').filter((line) => line !== 'err')).toEqual([long.trimEnd(), 'half a line', '']);
});

it('reads no faster than the client', async () => {
  const id = await runTask();
  const size = 40 << 20;
  agent.sandbox(id, { stdout: Buffer.alloc(size, 'x'), stderr: '' });
  const { answer } = await open(`/v2/tasks/${id}/log?stream=stdout`);
  answer.pause();
  let before = -1;
  await vi.waitFor(
    () => {
      const now = agent.requests.length;
      const isQuiet = now === before;
      before = now;
      expect(isQuiet).toBe(true);
    },
    { timeout: 20_000, interval: 1000 },
  );
  // What the sockets and buffers hold, not the file.
  expect(before).toBeLessThan(size / 60_000 / 2);
});

it('forgets a client that disconnects before the output is found', async () => {
  const logs = logsOf(agent.address);
  const find = logs.open.bind(logs);
  const asked = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  logs.open = async (place, wanted) => {
    asked.resolve();
    await gone.promise;
    return find(place, wanted);
  };
  const removed = vi.spyOn(logs, 'removeReader');
  const id = await runTask({ logs });
  agent.sandbox(id, { stdout: 'x', stderr: '' });
  await one.api.listen({ host: '127.0.0.1', port: 0 });
  const { port } = one.api.server.address() as AddressInfo;
  const request = httpGet({ host: '127.0.0.1', port, path: `/v2/tasks/${id}/log?follow=true` });
  request.on('error', () => {});
  await asked.promise;
  request.destroy();
  await vi.waitFor(async () => {
    const open = await new Promise((resolve) => one.api.server.getConnections((_, count) => resolve(count)));
    expect(open).toBe(0);
  });
  gone.resolve();
  await vi.waitFor(() => expect(removed).toHaveBeenCalledOnce(), { timeout: 5000 });
});

it('answers with the reason if there is nothing to read', async () => {
  const id = await runTask();
  const url = `/v2/tasks/${id}/log`;
  const cases: [string, number, RegExp][] = [
    ['/v2/tasks/other/log', 404, /Task 'other' does not exist/],
    [url, 404, /The agent on [ab]\.example has no output of the task/],
    [
      `${url}?since=yesterday`,
      400,
      /since is 'yesterday': expected a duration such as 10m or 2h30m, or a time/,
    ],
    [`${url}?since=2040-01-01T00:00:00Z`, 400, /since is '2040-01-01T00:00:00Z', which is in the future/],
    [`${url}?stream=stdin`, 400, /expected stdout, stderr or both/],
    [`${url}?tail=-1`, 400, /tail is '-1'/],
    [`${url}?follow=maybe`, 400, /follow is 'maybe'/],
  ];
  for (const [path, status, message] of cases) {
    const answer = await get(one, path);
    expect([answer.statusCode, answer.body], path).toEqual([status, expect.stringMatching(message)]);
  }
  const bad = await call(one, 'GET', url, undefined, { 'last-event-id': 'x' });
  expect([bad.statusCode, bad.json().message]).toEqual([
    400,
    'Last-Event-ID is not the id of an event of a log',
  ]);
});

it('names the agent that is unreachable, or the master', async () => {
  const id = await runTask();
  agent.sandbox(id, { stdout: 'x' });
  await agent.close();
  closing.length = 0;
  const answer = await get(one, `/v2/tasks/${id}/log`);
  expect([answer.statusCode, answer.json().message]).toEqual([
    502,
    expect.stringMatching(/^The Mesos master can't be asked for the agent's address: .*ECONNREFUSED/),
  ]);
});

it('follows no link out of the sandbox', async () => {
  const id = await runTask();
  const sandbox = agent.sandbox(id, { stdout: 'x', stderr: '' });
  const other = agent.sandbox('other', { stdout: 'of another task' });
  for (const target of ['/etc/passwd', join(other, 'stdout')]) {
    rmSync(join(sandbox, 'stdout'));
    symlinkSync(target, join(sandbox, 'stdout'));
    const answer = await get(one, `/v2/tasks/${id}/log?stream=stdout`);
    expect([answer.statusCode, answer.json().message]).toEqual([502, expect.stringMatching(/inaccessible/)]);
  }
});

it('needs a user, and lets viewers read', async () => {
  const accounts = [account('v', 'viewer', 'v')];
  one = server({ accounts });
  expect((await get(one, '/v2/tasks/x/log')).statusCode).toBe(401);
  expect((await call(one, 'GET', '/v2/tasks/x/log', undefined, asUser('v', 'v'))).statusCode).toBe(404);
});
