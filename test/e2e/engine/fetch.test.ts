import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { BUSYBOX, makeTestImages } from '../support/busybox-image.ts';
import { makeExecutorDist } from '../support/executor-process.ts';
import { type SchedulerCluster, startSchedulerCluster } from '../support/scheduler-cluster.ts';

let directory: string;
let dist: string;
let cluster: SchedulerCluster;
let server: Server;
let http: string;

beforeAll(async () => {
  await makeTestImages();
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-fetch-'));
  await mkdir(path.join(directory, 'tree'));
  await writeFile(path.join(directory, 'tree/leaf'), 'leaf');
  const { stdout } = await execa('tar', ['-C', directory, '-czf', '-', 'tree'], { encoding: 'buffer' });
  server = createServer((request, response) => {
    if (request.url === '/archive.tgz') response.end(stdout);
    else if (request.url === '/run') response.end('#!/bin/sh\necho ran\n');
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  http = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  dist = await makeExecutorDist();
  cluster = await startSchedulerCluster({ docker_executor: path.join(dist, 'executors/docker') });
}, 60_000);
afterAll(async () => {
  await cluster.stop();
  server.close();
  for (const one of [directory, dist]) await rm(one, { recursive: true, force: true });
}, 60_000);

async function start(app: Record<string, unknown>): Promise<void> {
  const container = { docker: { image: BUSYBOX } };
  const body = JSON.stringify({ cpus: 0.1, mem: 32, networks: [{ mode: 'host' }], container, ...app });
  const response = await fetch(`${cluster.url}/v2/apps`, { method: 'POST', body });
  expect([response.status, await response.text()]).toEqual([201, expect.anything()]);
}

async function appOf(
  id: string,
): Promise<{ tasks: { id: string }[]; lastTaskFailure?: { message: string } }> {
  const response = await fetch(`${cluster.url}/v2/apps/${id}`);
  return ((await response.json()) as { app: Awaited<ReturnType<typeof appOf>> }).app;
}

test('a container finds its fetched files in its sandbox, and its log is readable', async () => {
  await start({
    id: 'fetching',
    cmd: 'cd $MESOS_SANDBOX && cat tree/leaf && ./bin/run && echo made >made && ls; exec sleep 600',
    fetch: [{ uri: `${http}/archive.tgz` }, { uri: `${http}/run`, executable: true, destPath: 'bin/run' }],
  });
  await vi.waitFor(async () => {
    const [task] = (await appOf('fetching')).tasks;
    const log = await (await fetch(`${cluster.url}/v2/tasks/${task?.id}/log?stream=stdout`)).text();
    expect(log).toBe('leafran\narchive.tgz\nbin\nmade\ntree\n');
  }, 30_000);
});

test('an app whose file can’t be fetched says so', async () => {
  await start({ id: 'missing', cmd: 'sleep 600', fetch: [{ uri: `${http}/missing` }] });
  await vi.waitFor(async () => {
    expect((await appOf('missing')).lastTaskFailure?.message).toMatch(
      /^Failed to launch container: Failed to fetch all URIs for container/,
    );
  }, 30_000);
});

test.each(['/etc/x', '../x', 'a/../b', 'a/..', '.', 'a/', ''])('destPath %j is refused', async (destPath) => {
  const body = JSON.stringify({ id: 'x', cmd: 'sleep 1', fetch: [{ uri: `${http}/run`, destPath }] });
  const response = await fetch(`${cluster.url}/v2/apps`, { method: 'POST', body });
  expect(response.status).toBe(422);
  expect(await response.text()).toContain('must be a relative path of a file');
});
