/** Bad input to a running demo: the documented v1 answers, no crash, and a reason for every waiting app. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dir, endpoints, mesosup, state, steady, until } from './demo-cluster.ts';

let api: string;

beforeAll(async () => {
  const { exitCode, stderr } = await mesosup('demo', '--detach', '--agents', '1');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  api = (await state()).schedulerUrl;
});
afterAll(async () => {
  // The bad requests did not disturb the scheduler and the app of the demo.
  await steady();
  expect(await endpoints()).toHaveLength(2);
  expect((await mesosup('demo', 'down')).exitCode).toBe(0);
});

async function post(route: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${api}/v1/apps/${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text && JSON.parse(text) };
}

async function queued(app: string): Promise<string | undefined> {
  const { queue } = (await (await fetch(`${api}/v2/queue`)).json()) as {
    queue: {
      app: { id: string };
      count: number;
      delay: unknown;
      processedOffersSummary: { reasons: string[] };
    }[];
  };
  const entry = queue.find((e) => e.app.id === `/${app}` || e.app.id === app);
  if (!entry || entry.count === 0 || entry.delay === undefined) return undefined;
  return entry.processedOffersSummary.reasons.join('\n');
}

/** Starts an app that can't run, and waits for the reason in both the queue and the log. */
async function waits(app: Record<string, unknown> & { id: string }, why: RegExp): Promise<void> {
  expect(await post('start', app)).toEqual({ status: 204, body: '' });
  await until(`the queue says why ${app.id} waits (${why})`, async () =>
    why.test((await queued(app.id)) ?? ''),
  );
  await until(`the log says why ${app.id} waits (${why})`, async () => {
    const log = await readFile(path.join(dir, 'logs/scheduler.log'), 'utf8');
    return log.split('\n').some((line) => line.includes(app.id) && why.test(line));
  });
  expect(await post('stop', { id: app.id })).toEqual({ status: 204, body: '' });
  await until('it is out of the queue', async () => (await queued(app.id)) === undefined);
}

const docker = { instances: 1, mem: 32, cpus: 0.1, executor: '/var/lib/mesos/executors/docker' };

test('answers invalid JSON with 400 and a message', async () => {
  const { status, body } = await post('start', '{"id": "x", ');
  expect(status).toBe(400);
  expect(body).toEqual({ message: expect.any(String) });
});

test.each([
  ['mem', -1],
  ['mem', 1e300],
  ['cpus', -0.5],
  ['cpus', 'many'],
  ['instances', -2],
  ['instances', 1e12],
  ['instances', 1.5],
  ['ports.0', [70_000]],
  ['ports.1', [0, -1]],
  ['executor', 'relative/path'],
  ['id', 'no spaces'],
  ['cmd', 5],
])('%s = %j is 422 naming the attribute', async (attribute, value) => {
  const { status, body } = await post('start', {
    id: 'bad',
    cmd: 'johncosta/redis',
    ...docker,
    [attribute.split('.')[0] ?? '']: value,
  });
  expect(status).toBe(422);
  expect(
    (body as { errors: { attribute: string; error: string }[] }).errors.map((e) => e.attribute),
  ).toContain(attribute);
});

test('ignores unknown fields, and answers unknown ids with 404 and a second start with 422', async () => {
  const app = { id: 'unknown-field', cmd: 'sleep 1000', instances: 0, colour: 'blue' };
  expect(await post('start', app)).toEqual({ status: 204, body: '' });
  expect(await post('start', app)).toEqual({
    status: 422,
    body: { errors: [expect.objectContaining({ error: "Already started app 'unknown-field'" })] },
  });
  expect(await post('stop', { id: 'unknown-field' })).toEqual({ status: 204, body: '' });
  for (const route of ['stop', 'scale']) {
    expect(await post(route, { id: 'nobody', instances: 1 })).toEqual({
      status: 404,
      body: { message: "Unknown app 'nobody'" },
    });
  }
});

test('an image that does not exist', async () => {
  await waits({ id: 'ghost', cmd: 'no.such.registry.invalid/ghost', ...docker }, /ghost/);
});

test('a port range used up', async () => {
  await waits({ id: 'harbour', cmd: 'johncosta/redis', ...docker, ports: Array(100).fill(0) }, /port/);
});

test('no resources left', async () => {
  await waits({ id: 'heavy', cmd: 'johncosta/redis', ...docker, cpus: 400 }, /cpus/);
  await waits({ id: 'fat', cmd: 'johncosta/redis', ...docker, mem: 1_000_000 }, /mem/);
});
