/** Deployments over v2 with real containers: apps are changed, rolled back and removed, and answer all the time. */
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { containers, mesosup, state, until } from './demo-cluster.ts';
import { BUSYBOX, makeTestImages } from './support/busybox-image.ts';

const ID = '/web/page';

/** A web server that answers "ok" until its page is removed. */
const APP = {
  id: ID,
  cmd: 'busybox mkdir -p /tmp/www && echo ok >/tmp/www/page && exec busybox httpd -f -p 80 -h /tmp/www',
  instances: 2,
  cpus: 0.1,
  mem: 32,
  // A client that has just read the endpoints still asks an instance that is about to end.
  drainSeconds: 3,
  container: {
    type: 'DOCKER',
    docker: { image: BUSYBOX },
    portMappings: [{ containerPort: 80, name: 'http' }],
  },
  networks: [{ mode: 'container/bridge' }],
  healthChecks: [
    { protocol: 'MESOS_HTTP', path: '/page', intervalSeconds: 1, delaySeconds: 0, gracePeriodSeconds: 30 },
    { protocol: 'TCP', intervalSeconds: 1, gracePeriodSeconds: 30 },
  ],
  readinessChecks: [{ path: '/page', portName: 'http', intervalSeconds: 2, timeoutSeconds: 1 }],
};

interface AppJson {
  env: Record<string, string>;
  instances: number;
  tasksHealthy: number;
  tasks: { id: string; host: string; ports: number[]; version: string }[];
  container: { docker: { image: string } };
  deployments: { id: string }[];
  lastTaskFailure?: { message: string };
}

let api: string;

beforeAll(async () => {
  await makeTestImages();
  const { exitCode, stderr } = await mesosup('demo', '--detach');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  api = (await state()).schedulerUrl;
});
afterAll(async () => {
  expect((await mesosup('demo', 'down')).exitCode).toBe(0);
});

async function ask(
  method: string,
  route: string,
  body?: unknown,
): Promise<{ status: number; json: unknown }> {
  const response = await fetch(`${api}${route}`, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });
  const text = await response.text();
  return { status: response.status, json: text && JSON.parse(text) };
}

async function app(): Promise<AppJson> {
  return ((await ask('GET', `/v2/apps${ID}`)).json as { app: AppJson }).app;
}

async function settled(): Promise<void> {
  await until('no deployment is under way', async () => {
    const { json } = await ask('GET', '/v2/deployments');
    return (json as unknown[]).length === 0;
  });
}

/** Sends a request to one of the app's instances, like a load balancer that has just read `/v1/endpoints`. */
async function look(): Promise<string> {
  const text = await (await fetch(`${api}/v1/endpoints/web_page`)).text();
  const servers = text.trim().split(' ').slice(2);
  const server = servers[Math.floor(Math.random() * servers.length)];
  const response = await fetch(`http://${server}/page`, { signal: AbortSignal.timeout(20_000) });
  return `${response.status} ${(await response.text()).trim()}`;
}

/** Sends requests without a pause until the work is done. @returns the distinct answers, and their number */
async function lookDuring(work: () => Promise<void>): Promise<{ answers: Set<string>; count: number }> {
  const answers = new Set<string>();
  let count = 0;
  let done = false;
  const looking = (async () => {
    while (!done) {
      answers.add(await look().catch((error: unknown) => String(error)));
      count += 1;
    }
  })();
  await work().finally(() => {
    done = true;
  });
  await looking;
  return { answers, count };
}

test('completes the deployment of an app with an image and mapped ports when its checks pass', async () => {
  const { status, json } = await ask('POST', '/v2/apps', APP);
  expect([status, json]).toMatchObject([201, { deployments: [{ id: expect.any(String) }] }]);
  await settled();
  expect(await app()).toMatchObject({ tasksHealthy: 2, deployments: [] });
  expect(await look()).toBe('200 ok');
});

test('replaces a changed app step by step, while it answers all the time', async () => {
  const before = (await app()).tasks.map(({ id }) => id);
  const { answers, count } = await lookDuring(async () => {
    expect((await ask('PUT', `/v2/apps${ID}`, { env: { A: '1' } })).status).toBe(200);
    expect((await ask('PUT', `/v2/apps${ID}`, { env: { A: '2' } })).status).toBe(409);
    await settled();
  });
  expect([...answers]).toEqual(['200 ok']);
  expect(count).toBeGreaterThan(10);
  const after = await app();
  expect(after.tasksHealthy).toBe(2);
  expect(after.tasks.filter(({ id }) => before.includes(id))).toEqual([]);
});

test('rolls back a change that can not run, without touching instances that answer', async () => {
  const before = (await app()).tasks.map(({ id }) => id).sort();
  const container = { ...APP.container, docker: { image: 'mesosup.invalid/none' } };
  const { answers } = await lookDuring(async () => {
    expect((await ask('PUT', `/v2/apps${ID}`, { container, maxFailures: 2 })).status).toBe(200);
    await settled();
  });
  expect([...answers]).toEqual(['200 ok']);
  const after = await app();
  expect(after.container.docker.image).toBe(BUSYBOX);
  expect(after.tasks.map(({ id }) => id).sort()).toEqual(before);
  expect(after.lastTaskFailure?.message).toContain("mesosup.invalid/none can't be pulled");
});

test('replaces an instance whose check fails', async () => {
  const [first] = (await app()).tasks;
  const container = (await containers()).find(({ task }) => task === first?.id);
  expect(container?.state).toBe('running');
  await execa('docker', ['exec', container?.id ?? '', 'busybox', 'rm', '/tmp/www/page']);
  await until('the instance that lost its page is replaced', async () => {
    const { tasks, tasksHealthy } = await app();
    return tasksHealthy === 2 && !tasks.some(({ id }) => id === first?.id);
  });
  expect(await look()).toBe('200 ok');
});

test('leaves nothing of a removed app behind', async () => {
  expect((await ask('DELETE', '/v2/groups/web')).status).toBe(200);
  await settled();
  expect((await ask('GET', `/v2/apps${ID}`)).status).toBe(404);
  await until('its containers are gone', async () =>
    (await containers()).every(({ task }) => !task.startsWith('web_page')),
  );
});
