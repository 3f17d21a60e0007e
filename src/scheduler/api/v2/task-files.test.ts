import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { account, asUser } from '../../../../test/scheduler/accounts.ts';
import { type AgentOfFiles, filesOf, logsOf, startAgentOfFiles } from '../../../../test/scheduler/agents.ts';
import { call, closing, get, type Server, SLEEPER, server } from '../../../../test/scheduler/api-server.ts';
import { encodeFilesAnswer, readFilesRequest } from '../../../exec/files.ts';
import { readSandbox } from '../../../executor/sandbox-reader.ts';
import { ExecutorFiles } from '../../sandbox/executor-files.ts';

let agent: AgentOfFiles;
let one: Server;
/** The executor's sandbox. */
let root: string;
/** Messages that the executor does not get. */
let lost = 0;

const executors: ExecutorFiles = new ExecutorFiles(async ({ message }) => {
  lost -= 1;
  const request = readFilesRequest(message.data);
  if (lost >= 0 || !request) return;
  const data = encodeFilesAnswer(request.id, readSandbox(root, request));
  executors.takeMessage({ type: 'MESSAGE', message: { ...message, data } });
});

const CONTAINER = { ...SLEEPER, container: { type: 'DOCKER', docker: { image: 'i' } } };
const BYTES = Buffer.from(Array.from({ length: 500_000 }, (_, i) => i % 256));

beforeEach(async () => {
  lost = 0;
  agent = await startAgentOfFiles('framework');
  closing.push(() => agent.close());
});

/** @returns the URL of the files of a new task */
async function filesOfTask(app: object, content: Record<string, string | Buffer>): Promise<string> {
  one = server({ logs: logsOf(agent.address), files: filesOf(agent.address, executors) });
  const made = await call(one, 'POST', '/v2/apps', app);
  expect(made.statusCode, made.body).toBe(201);
  await one.run();
  const [task] = await one.runner.read(({ tasks }) => [...tasks.values()]);
  const id = task?.id ?? '';
  const named = Object.entries(content).map(([name, bytes]) => [name.replace('TASK', id), bytes]);
  root = agent.sandbox(task?.executorId ?? id, Object.fromEntries(named));
  return `/v2/tasks/${id}/files`;
}

describe.each([
  ['a container', CONTAINER, 'tasks/TASK/sandbox/'],
  ['a container with fetched files', { ...CONTAINER, fetch: [{ uri: 'http://u/f' }] }, 'tasks/TASK/sandbox/'],
  ['a plain command', SLEEPER, ''],
])('the files of %s', (_name, app, prefix) => {
  it('are listed and read', async () => {
    const url = await filesOfTask(app, {
      [`${prefix}bytes`]: BYTES,
      [`${prefix}below/a b`]: 'x',
      [`${prefix}empty`]: '',
      'tasks/other/stdout': 'secret',
    });
    const top = await get(one, url);
    expect([top.statusCode, top.json().path]).toEqual([200, '']);
    expect(top.json().entries).toEqual(
      expect.arrayContaining([
        { name: 'below', type: 'directory', size: expect.any(Number), modifiedAt: expect.any(String) },
        { name: 'bytes', type: 'file', size: 500_000, modifiedAt: expect.any(String) },
      ]),
    );
    expect((await get(one, `${url}?path=below/`)).json().entries).toMatchObject([{ name: 'a b', size: 1 }]);
    const whole = await get(one, `${url}?path=./bytes`);
    expect(whole.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '500000',
      'content-disposition': 'attachment',
      'x-content-type-options': 'nosniff',
    });
    expect(whole.rawPayload.equals(BYTES)).toBe(true);
    const part = await get(one, `${url}?path=bytes&offset=100000&length=200000`);
    expect(part.rawPayload.equals(BYTES.subarray(100_000, 300_000))).toBe(true);
    expect((await get(one, `${url}?path=bytes&offset=600000`)).rawPayload).toHaveLength(0);
    expect((await get(one, `${url}?path=empty`)).headers['content-length']).toBe('0');
    expect((await get(one, `${url}?path=${encodeURIComponent('below/a b')}`)).body).toBe('x');
  });

  it('are refused outside of the sandbox', async () => {
    const url = await filesOfTask(app, { [`${prefix}x`]: '', 'tasks/other/stdout': 'secret' });
    const task = url.split('/')[3] ?? '';
    const sandbox = join(root, prefix.replace('TASK', task));
    symlinkSync('/etc/passwd', join(sandbox, 'passwd'));
    symlinkSync('/etc', join(sandbox, 'etc'));
    execFileSync('mkfifo', [join(sandbox, 'fifo')]);
    const status = async (path: string) =>
      (await get(one, `${url}?path=${encodeURIComponent(path)}`)).statusCode;
    for (const path of ['..', '../../other/stdout', '/etc/passwd', 'x/../../y', 'a\0b', 'fifo']) {
      expect(await status(path), path).toBe(422);
    }
    for (const path of ['passwd', 'etc', 'etc/passwd'])
      expect([404, 422, 502], path).toContain(await status(path));
    expect(await status('none')).toBe(404);
    expect(await status('none/none')).toBe(404);
  });
});

it('follows no link of a container to another task', async () => {
  const url = await filesOfTask(CONTAINER, {
    'tasks/TASK/sandbox/x': '',
    'tasks/other/stdout': 'secret',
    'tasks/other/sandbox/file': 'secret',
  });
  const sandbox = join(root, 'tasks', url.split('/')[3] ?? '', 'sandbox');
  symlinkSync('../../other/stdout', join(sandbox, 'file'));
  symlinkSync('../../other/sandbox', join(sandbox, 'directory'));
  for (const path of ['file', 'directory', 'directory/file']) {
    const answer = await get(one, `${url}?path=${path}`);
    expect([answer.statusCode, answer.json().details[0].errors]).toEqual([
      422,
      ['leads through a link or a file, which is not followed'],
    ]);
  }
});

it('asks the executor again if a message is lost', async () => {
  const url = await filesOfTask(CONTAINER, { 'tasks/TASK/sandbox/x': 'y' });
  lost = 1;
  expect((await get(one, `${url}?path=x`)).body).toBe('y');
});

it('says that an executor does not answer', async () => {
  const url = await filesOfTask(CONTAINER, { 'tasks/TASK/sandbox/x': 'y' });
  const other = server({
    logs: logsOf(agent.address),
    files: filesOf(agent.address, new ExecutorFiles(async () => {}, 100)),
  });
  other.runner.read = (reader) => one.runner.read(reader);
  const answer = await get(other, url);
  expect([answer.statusCode, answer.json().message]).toEqual([
    504,
    expect.stringMatching(/^The executor mesosup-docker\.\S+ on [ab]\.example did not answer within 0\.1 s/),
  ]);
});

it('needs an operator, a known task and valid numbers', async () => {
  const url = await filesOfTask(SLEEPER, { x: '' });
  expect((await get(one, '/v2/tasks/other/files')).statusCode).toBe(404);
  expect((await get(one, `${url}?path=x&offset=-1`)).statusCode).toBe(400);
  const closed = server({ accounts: [account('v', 'viewer', 'v')] });
  expect((await get(closed, url)).statusCode).toBe(401);
  expect((await call(closed, 'GET', url, undefined, asUser('v', 'v'))).statusCode).toBe(403);
});

it('shows a part of a directory with very many files', async () => {
  const names = Array.from({ length: 2100 }, (_, i) => [`f${i}`, '']);
  const url = await filesOfTask(SLEEPER, Object.fromEntries(names));
  const { entries, more } = (await get(one, url)).json();
  expect([entries.length, more]).toEqual([2000, true]);
});

it('gives up a directory whose list would fill the memory', async () => {
  let sent = 0;
  const endless = createServer((request, response) => {
    if (request.url?.startsWith('/slaves')) {
      const { port } = endless.address() as AddressInfo;
      response.end(
        JSON.stringify({ slaves: ['S0', 'S1'].map((id) => ({ id, pid: `s@127.0.0.1:${port}` })) }),
      );
      return;
    }
    response.writeHead(200);
    const chunk = Buffer.alloc(1 << 20, ' ');
    const more = (): void => {
      for (let free = true; free && !response.destroyed && sent < 100 << 20; sent += chunk.length)
        free = response.write(chunk);
      if (sent >= 100 << 20) response.end('[]');
    };
    response.on('drain', more);
    more();
  }).listen(0, '127.0.0.1');
  await once(endless, 'listening');
  closing.push(async () => void endless.close());
  const url = await filesOfTask(SLEEPER, { x: '' });
  const other = server({
    logs: logsOf(agent.address),
    files: filesOf(`127.0.0.1:${(endless.address() as AddressInfo).port}`),
  });
  other.runner.read = (reader) => one.runner.read(reader);
  const answer = await get(other, url);
  expect([answer.statusCode, answer.json().message]).toEqual([
    502,
    expect.stringMatching(/more than 32 MiB: the directory has too many files/),
  ]);
  expect(sent).toBeLessThan(100 << 20);
});
