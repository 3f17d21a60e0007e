/** The fetcher of an agent: what it puts into the sandbox before the executor starts. The agent is on this machine. */

import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandUri, TaskInfo, TaskStatus } from '../../src/mesos/types.ts';
import { TestFramework } from './support/framework.ts';
import { commandTask, executorInfo, executorTask } from './support/tasks.ts';

let directory: string;
let server: Server;
let http: string;
let requests: string[];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-fetch-'));
  await chmod(directory, 0o755);
  await mkdir(path.join(directory, 'tree'));
  await writeFile(path.join(directory, 'tree/leaf'), 'leaf');
  await writeFile(path.join(directory, 'plain'), 'plain');
  await writeFile(path.join(directory, 'run'), '#!/bin/sh\necho ran\n', { mode: 0o644 });
  await execa('tar', ['-C', directory, '-czf', path.join(directory, 'archive.tar.gz'), 'tree']);
  await execa('gzip', ['-k', path.join(directory, 'plain')]);
  requests = [];
  server = createServer(async (request, response) => {
    requests.push(request.url ?? '');
    const name = path.basename((request.url ?? '').replace(/\?.*/, ''));
    const content = await readFile(path.join(directory, name)).catch(() => undefined);
    // Without the length, Mesos does not use its cache.
    if (content) response.setHeader('Content-Length', content.length).end(content);
    else response.writeHead(404).end('nothing here');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  http = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true, force: true });
});

/** Runs a command in a sandbox with these URIs. @returns the last update */
async function run(command: string, ...uris: CommandUri[]): Promise<TaskStatus> {
  await using framework = await TestFramework.subscribe();
  let task: TaskInfo | undefined;
  await framework.launch((offer) => {
    task = commandTask(offer, command, { command: { shell: true, value: command, uris } });
    return task;
  });
  for (;;) {
    const status = await framework.update(task?.task_id.value ?? '');
    if (!['TASK_STARTING', 'TASK_RUNNING'].includes(status.state)) return status;
  }
}

const FINISHED = { state: 'TASK_FINISHED' };

describe('the fetcher', () => {
  it.concurrent('fetches by http and from files of the agent, and the files belong to the user of the task', async () => {
    const command =
      'test "$(cat plain)" = plain && test "$(cat leaf)" = leaf && test -O plain && test ! -x plain';
    const uris = [{ value: `${http}/plain` }, { value: `file://${directory}/tree/leaf` }];
    expect(await run(command, ...uris)).toMatchObject(FINISHED);
    expect(await run('test "$(cat plain)" = plain', { value: `${directory}/plain` })).toMatchObject(FINISHED);
  });

  it.concurrent('unpacks archives beside themselves, unless extract is false', async () => {
    const uris = [{ value: `${http}/archive.tar.gz` }, { value: `${http}/plain.gz` }];
    const command = 'test "$(cat tree/leaf)" = leaf && test -f archive.tar.gz && test "$(cat plain)" = plain';
    expect(await run(command, ...uris)).toMatchObject(FINISHED);
    const kept = uris.map((uri) => ({ ...uri, extract: false }));
    expect(await run('test -f archive.tar.gz && test ! -e tree && test ! -e plain', ...kept)).toMatchObject(
      FINISHED,
    );
  });

  it.concurrent('makes a file executable, and does not unpack it then', async () => {
    const uri = { value: `${http}/run`, executable: true };
    expect(await run('test "$(./run)" = ran', uri)).toMatchObject(FINISHED);
    const archive = { value: `${http}/archive.tar.gz`, executable: true };
    expect(await run('test -x archive.tar.gz && test ! -e tree', archive)).toMatchObject(FINISHED);
  });

  it.concurrent('writes to output_file, in directories that it makes', async () => {
    const uri = { value: `${http}/plain?version=1`, output_file: 'a/b/named' };
    expect(await run('test "$(cat a/b/named)" = plain', uri)).toMatchObject(FINISHED);
    const query = { value: `${http}/plain?version=1` };
    expect(await run('test "$(cat "plain?version=1")" = plain', query)).toMatchObject(FINISHED);
  });

  it.concurrent('keeps a file with cache for the next task', async () => {
    const uri = { value: `${http}/cached/plain`, cache: true };
    for (let i = 0; i < 2; i += 1) {
      expect(await run('test "$(cat plain)" = plain', uri)).toMatchObject(FINISHED);
    }
    // Mesos asks for the size first, by HEAD.
    expect(requests.filter((url) => url === '/cached/plain').length).toBeLessThanOrEqual(2);
  });

  it.concurrent('serves executors', async () => {
    await using framework = await TestFramework.subscribe();
    let id = '';
    const more = executorInfo('fetching');
    await framework.launch((offer) => {
      const executor = executorInfo(`fetching-${Date.now()}`, {
        command: {
          ...more.command,
          value: `test -f plain && ${more.command?.value}`,
          uris: [{ value: `${http}/plain` }],
        },
      });
      const task = executorTask(offer, { updates: [{ state: 'TASK_RUNNING' }] }, { executor });
      id = task.task_id.value;
      return task;
    });
    expect(await framework.update(id)).toMatchObject({ state: 'TASK_RUNNING' });
  });

  it.concurrent.each([
    ['/missing', {}],
    ['/run', { output_file: 'run.tar.gz' }],
  ])('fails a task whose URI %s with %j can’t be fetched', async (name, fields) => {
    expect(await run('true', { value: `${http}${name}`, ...fields })).toMatchObject({
      state: 'TASK_FAILED',
      reason: 'REASON_CONTAINER_LAUNCH_FAILED',
      message: expect.stringMatching(
        /^Failed to launch container: Failed to fetch all URIs for container '[^']+': exited with status 1/,
      ),
    });
  });

  it.concurrent.each([
    [{ value: 'http://127.0.0.1' }, /Malformed URI \(missing path\)/],
    [{ value: "/a'b" }, /Illegal characters in URI/],
    [{ value: '/a', output_file: '/b' }, /URI output file must be within the sandbox directory/],
  ])('refuses %j', async (uri, message) => {
    expect(await run('true', uri)).toMatchObject({
      state: 'TASK_FAILED',
      reason: 'REASON_CONTAINER_LAUNCH_FAILED',
      message: expect.stringMatching(message),
    });
  });
});
