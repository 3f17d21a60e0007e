import { expect, it } from 'vitest';
import { call, get, type Server, server } from '../../../../test/scheduler/api-server.ts';

const SLEEPER = { id: '/sleeper', cmd: 'sleep 1000', cpus: 0.1, mem: 16 };

async function changing(): Promise<{ one: Server; id: string; version: string }> {
  const one = server();
  await call(one, 'POST', '/v2/apps', SLEEPER);
  await one.run();
  const { deploymentId, version } = (await call(one, 'PUT', '/v2/apps/sleeper', { cpus: 0.2 })).json();
  return { one, id: deploymentId, version };
}

async function cpus(one: Server): Promise<number> {
  return (await get(one, '/v2/apps/sleeper')).json().app.cpus;
}

it('lists running deployments with the fields of Marathon', async () => {
  const { one, id, version } = await changing();
  const actions = [{ action: 'RestartApplication', app: '/sleeper' }];
  const deployment = {
    id,
    version,
    affectedApps: ['/sleeper'],
    affectedPods: [],
    steps: [{ actions }],
    currentActions: [{ ...actions[0], readinessCheckResults: [] }],
    currentStep: 1,
    totalSteps: 1,
  };
  expect((await get(one, '/v2/deployments/')).json()).toEqual([deployment]);
  expect((await get(one, `/v2/deployments/${id}`)).json()).toEqual({ ...deployment, failures: 0 });
  await one.run();
  expect((await get(one, '/v2/deployments')).json()).toEqual([]);
  const gone = await get(one, `/v2/deployments/${id}`);
  expect([gone.statusCode, gone.json()]).toEqual([404, { message: `Deployment '${id}' does not exist` }]);
});

it('rolls a deployment back with a new deployment', async () => {
  const { one, id } = await changing();
  // The new task has been launched, so that there is something to roll back.
  one.mesos.offer();
  for (const event of one.mesos.inbox.splice(0)) await one.runner.submit({ type: 'mesos', event });
  const answer = await call(one, 'DELETE', `/v2/deployments/${id}`);
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({ version: expect.any(String), deploymentId: expect.any(String) });
  expect(await cpus(one)).toBe(0.1);
  const { deploymentId } = answer.json();
  expect((await get(one, `/v2/deployments/${deploymentId}`)).json().rollbackOf).toBe(id);
  expect((await get(one, '/v2/deployments')).json()).toMatchObject([{ id: deploymentId }]);
  await one.run();
  expect((await get(one, '/v2/deployments')).json()).toEqual([]);
  expect((await get(one, '/v2/apps/sleeper')).json().app.tasksRunning).toBe(1);
});

it('rolls back at once a deployment that has done nothing yet', async () => {
  const { one, id } = await changing();
  const [task] = (await get(one, '/v2/tasks')).json().tasks;
  expect((await call(one, 'DELETE', `/v2/deployments/${id}`)).statusCode).toBe(200);
  expect((await get(one, '/v2/deployments')).json()).toEqual([]);
  await one.run();
  expect((await get(one, '/v2/tasks')).json().tasks).toMatchObject([{ id: task.id }]);
});

it('stops a deployment where it is with force', async () => {
  const { one, id } = await changing();
  const answer = await call(one, 'DELETE', `/v2/deployments/${id}?force=true`);
  expect([answer.statusCode, answer.json()]).toEqual([202, {}]);
  expect((await get(one, '/v2/deployments')).json()).toEqual([]);
  expect(await cpus(one)).toBe(0.2);
  for (const query of ['', '?force=true']) {
    const gone = await call(one, 'DELETE', `/v2/deployments/${id}${query}`);
    expect([gone.statusCode, gone.json()]).toEqual([404, { message: `Deployment '${id}' does not exist` }]);
  }
});
