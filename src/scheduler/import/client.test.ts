import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { SchedulerClient } from './client.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A client of a server that gives this answer to all requests. */
function clientOf(status: number, body: string): Promise<SchedulerClient> {
  return clientWith((_request, response) => response.writeHead(status).end(body));
}

async function clientWith(listener: RequestListener): Promise<SchedulerClient> {
  const server = createServer(listener);
  closing.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return new SchedulerClient(`http://127.0.0.1:${port}/`, undefined);
}

it('reads the deployment, and the plan of a dry run', async () => {
  const change = await clientOf(200, '{"version":"v","deploymentId":"d","later":1}');
  expect(await change.putApps([], false)).toEqual({ version: 'v', deploymentId: 'd' });
  const steps = [{ actions: [{ action: 'StartApplication', app: '/a' }] }];
  const plan = await clientOf(200, JSON.stringify({ steps }));
  expect(await plan.planApps([], false)).toEqual({ steps });
});

it.each(['<html>', '{}', '{"steps":[{"actions":[{}]}]}'])(
  'rejects the answer %s of another program',
  async (body) => {
    const client = await clientOf(200, body);
    await expect(client.planApps([], false)).rejects.toThrow(
      `${client.url} does not answer like a mesosup scheduler: check --url`,
    );
  },
);

it('names refused fields with reasons', async () => {
  const details = [
    { path: '/healthChecks(0)/path', errors: ["must begin with '/'", 'is odd'] },
    { path: '(3)/cpus', errors: ['is odd'] },
  ];
  const client = await clientOf(422, JSON.stringify({ message: 'Object is not valid', details }));
  await expect(client.putApps([], false)).rejects.toMatchObject({
    message: `${client.url} answered 422: healthChecks[0].path must begin with '/', is odd; [3].cpus is odd`,
    details: [
      { field: 'healthChecks[0].path', why: "must begin with '/', is odd" },
      { field: '[3].cpus', why: 'is odd' },
    ],
  });
});

it.each([
  [409, '{"message":"App is locked.","deployments":[{"id":"d"}]}', 'App is locked. What to do: wait'],
  [502, 'no upstream', 'no upstream'],
])('reports a refusal with status %d', async (status, body, message) => {
  const client = await clientOf(status, body);
  await expect(client.putApps([], true)).rejects.toThrow(`${client.url} answered ${status}: ${message}`);
});

it('reports an answer that is interrupted', async () => {
  const client = await clientWith((_request, response) => {
    response.writeHead(200, { 'Content-Length': 100 }).write('{', () => response.destroy());
  });
  await expect(client.get('/v2/info')).rejects.toMatchObject({ name: 'ImportError' });
});
