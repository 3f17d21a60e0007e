/** A host port that a process outside Mesos uses: the agent offers it, but no container can get it. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from './demo-cluster.ts';
import { BUSYBOX, makeTestImages } from './support/busybox-image.ts';
import { type SchedulerCluster, settled, startSchedulerCluster } from './support/scheduler-cluster.ts';

const APP = {
  id: '/held',
  cmd: 'exec busybox httpd -f -p 80',
  cpus: 0.1,
  mem: 32,
  container: { type: 'DOCKER', docker: { image: BUSYBOX }, portMappings: [{ containerPort: 80 }] },
  networks: [{ mode: 'container/bridge' }],
};

let cluster: SchedulerCluster;
beforeAll(async () => {
  await makeTestImages();
  cluster = await startSchedulerCluster();
});
afterAll(() => cluster?.stop());

async function json<T>(method: string, route: string, body?: unknown): Promise<T> {
  const response = await fetch(`${cluster.url}${route}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return (await response.json()) as T;
}

/** Starts the app. @returns the host port on which it finally runs, and the reason of the first failure */
async function start(): Promise<{ port: number; failure: string }> {
  await json('POST', '/v2/apps', APP);
  let port = 0;
  await until('the app runs', async () => {
    const { tasks } = await json<{ tasks: { state: string; ports: number[] }[] }>(
      'GET',
      '/v2/apps/held/tasks',
    );
    port = tasks.find(({ state }) => state === 'TASK_RUNNING')?.ports[0] ?? 0;
    return port > 0;
  });
  const { app } = await json<{ app: { lastTaskFailure?: { message: string } } }>('GET', '/v2/apps/held');
  return { port, failure: app.lastTaskFailure?.message ?? '' };
}

async function stop(): Promise<void> {
  await json('DELETE', '/v2/apps/held');
  await settled(cluster.url);
}

test('is skipped after a container could not get it', async () => {
  const { port } = await start();
  await stop();
  const stranger = createServer().listen(port, '127.0.0.1');
  await once(stranger, 'listening');
  try {
    const again = await start();
    expect(again.failure).toContain(`:${port}`);
    expect(again.port).not.toBe(port);
    await stop();
  } finally {
    stranger.close();
  }
});
