import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DockerEngine } from '../docker/engine.ts';
import { TaskFiles } from './task-files.ts';
import { OutputFollower } from './task-output.ts';

/** A Docker engine that fails to send a log, which a real one does only by chance. */
let server: Server;
let directory: string;
let isRunning: boolean;
/** Answers the requests for the log, one after the other. The last one answers all further ones. */
let answers: ((response: ServerResponse) => void)[];
let requests: number;
let follower: OutputFollower | undefined;

const fails = (message: string) => (response: ServerResponse) =>
  response.writeHead(500).end(JSON.stringify({ message }));

/** Sends a record, and keeps the connection. */
function sends(line: string) {
  return (response: ServerResponse) => {
    const content = Buffer.from(`2026-11-29T20:15:00.000000000Z ${line}\n`);
    response.write(Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, content.length]), content]));
    if (!isRunning) response.end();
  };
}

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-output-'));
  isRunning = true;
  requests = 0;
  server = createServer((request, response) => {
    if (request.url === '/_ping') response.writeHead(200, { 'Api-Version': '1.41' }).end('OK');
    else if (request.url?.endsWith('/json')) response.end(JSON.stringify({ State: { Running: isRunning } }));
    else {
      requests += 1;
      (answers.length > 1 ? answers.shift() : answers[0])?.(response);
    }
  });
  server.listen(path.join(directory, 'docker.sock'));
  await once(server, 'listening');
});

afterEach(async () => {
  isRunning = false;
  server.closeAllConnections();
  await follower?.drained();
  server.close();
  await rm(directory, { recursive: true });
});

function follow(): void {
  const files = new TaskFiles(directory, 't', false);
  follower = new OutputFollower({
    engine: new DockerEngine(path.join(directory, 'docker.sock')),
    container: 'c',
    tty: false,
    fileBytes: Number.POSITIVE_INFINITY,
    files,
    taskId: 't',
    start: files.sizes(),
    limits: { maxSize: 1e6, maxFiles: 2 },
    log: () => {},
  });
}

const read = (stream: string) => readFile(path.join(directory, 'tasks/t', stream), 'utf8');

test('output goes on after Docker has failed to send it while the container runs', async () => {
  answers = [fails('the log can not be opened'), sends('one')];
  follow();
  await vi.waitFor(async () => expect(await read('stdout')).toBe('one\n'), 5000);
  expect(await read('stderr')).toBe('');
  expect(requests).toBe(2);
});

test.each([
  ['of a log driver that can not be read', true, 'configured logging driver does not support reading'],
  ['of a container that no longer runs', false, 'the log can not be opened'],
])('output %s is given up, and a line says why', async (_, runs, message) => {
  isRunning = runs;
  answers = [fails(message)];
  follow();
  const line = `mesosup: the container's output can't be read: ${message}\n`;
  await vi.waitFor(async () => expect(await read('stderr')).toBe(line), 5000);
  expect(requests).toBe(1);
});
