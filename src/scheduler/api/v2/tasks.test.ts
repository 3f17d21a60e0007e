import { describe, expect, it } from 'vitest';
import { call, get, type Server, server } from '../../../../test/scheduler/api-server.ts';

const SLEEPER = { id: '/sleeper', cmd: 'sleep 1000', cpus: 0.1, mem: 16, instances: 2 };

interface TaskJson {
  id: string;
  host: string;
  appId: string;
}

async function withTasks(): Promise<Server> {
  const one = server();
  await call(one, 'POST', '/v2/apps', SLEEPER);
  await call(one, 'POST', '/v2/apps', { ...SLEEPER, id: '/g/other', instances: 1 });
  await one.run();
  return one;
}

async function tasksOf(one: Server, path = '/v2/apps/sleeper/tasks'): Promise<TaskJson[]> {
  return (await get(one, path)).json().tasks;
}

async function instances(one: Server): Promise<number> {
  return (await get(one, '/v2/apps/sleeper')).json().app.instances;
}

describe('GET tasks', () => {
  it('lists the tasks of all apps by id, with paging', async () => {
    const one = await withTasks();
    const all = await tasksOf(one, '/v2/tasks/');
    expect(all.map(({ appId }) => appId)).toEqual(['/g/other', '/sleeper', '/sleeper']);
    const ids = all.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
    const first = (await get(one, '/v2/tasks?limit=2&fields=id')).json();
    expect(first).toEqual({ tasks: [{ id: ids[0] }, { id: ids[1] }], next: ids[1] });
    expect((await get(one, `/v2/tasks?fields=id&cursor=${first.next}`)).json()).toEqual({
      tasks: [{ id: ids[2] }],
    });
  });

  it('distinguishes running and staging tasks', async () => {
    const one = await withTasks();
    await call(one, 'PUT', '/v2/apps/sleeper', { instances: 3 });
    one.mesos.offer();
    for (const event of one.mesos.inbox.splice(0)) await one.runner.submit({ type: 'mesos', event });
    const count = async (query: string) => (await tasksOf(one, `/v2/tasks?${query}`)).length;
    expect(await count('status=running')).toBe(3);
    expect(await count('status=staging')).toBe(1);
    expect(await count('status[]=running&status[]=staging')).toBe(4);
    expect(await count('status=ended')).toBe(0);
  });

  it('lists the tasks of an agent', async () => {
    const one = await withTasks();
    const agents = (await tasksOf(one, '/v2/tasks?agent=S0')).map(({ host }) => host);
    expect(new Set(agents)).toEqual(new Set(['a.example']));
    expect(await tasksOf(one, '/v2/tasks?agent=S0&status=staging')).toEqual([]);
    expect(await tasksOf(one, '/v2/tasks?agent=S9')).toEqual([]);
  });

  it('lists the tasks of an app', async () => {
    const one = await withTasks();
    expect((await tasksOf(one)).map(({ host }) => host)).toEqual(['a.example', 'b.example']);
    expect(await tasksOf(one, '/v2/apps/g/other/tasks/')).toHaveLength(1);
    const none = await get(one, '/v2/apps/none/tasks');
    expect([none.statusCode, none.json()]).toEqual([404, { message: "App '/none' does not exist" }]);
    expect((await get(one, '/v2/apps/none/tasks', 'text/plain')).statusCode).toBe(404);
    expect((await get(one, '/v2/apps/sleeper/tasks/x')).statusCode).toBe(404);
  });
});

describe('DELETE /v2/apps/{id}/tasks', () => {
  it('kills all tasks, or those of a host, which are replaced', async () => {
    const one = await withTasks();
    const [first, second] = await tasksOf(one);
    const killed = await call(one, 'DELETE', '/v2/apps/sleeper/tasks?host=b.example&scale=False&wipe=False');
    expect(killed.json()).toEqual({ tasks: [second] });
    await one.run();
    const after = await tasksOf(one);
    expect(after).toHaveLength(2);
    expect(after.map(({ id }) => id)).toContain(first?.id);
    expect(after.map(({ id }) => id)).not.toContain(second?.id);
    expect((await call(one, 'DELETE', '/v2/apps/sleeper/tasks')).json().tasks).toHaveLength(2);
    expect((await call(one, 'DELETE', '/v2/apps/none/tasks')).statusCode).toBe(404);
  });

  it('kills one task, and with scale does not replace it', async () => {
    const one = await withTasks();
    const [first, second] = await tasksOf(one);
    const killed = await call(one, 'DELETE', `/v2/apps/sleeper/tasks/${first?.id}`);
    expect(killed.json()).toEqual({ task: first });
    const scaled = await call(one, 'DELETE', `/v2/apps/sleeper/tasks/${second?.id}?scale=true`);
    expect(scaled.json()).toEqual({ version: expect.any(String), deploymentId: expect.any(String) });
    expect(await instances(one)).toBe(1);
    await one.run();
    expect(await tasksOf(one)).toHaveLength(1);
    const unknown = await call(one, 'DELETE', '/v2/apps/sleeper/tasks/x');
    expect([unknown.statusCode, unknown.json()]).toEqual([404, { message: "Task 'x' does not exist" }]);
  });

  it('removes unreachable tasks with wipe', async () => {
    const one = await withTasks();
    const [first] = await tasksOf(one);
    one.mesos.advance(first?.id ?? '', 'TASK_UNREACHABLE');
    for (const event of one.mesos.inbox.splice(0)) await one.runner.submit({ type: 'mesos', event });
    expect((await tasksOf(one)).map(({ id }) => id)).toContain(first?.id);
    const url = `/v2/apps/sleeper/tasks/${first?.id}`;
    expect((await call(one, 'DELETE', `${url}?wipe=true`)).json()).toMatchObject({ task: { id: first?.id } });
    expect((await tasksOf(one)).map(({ id }) => id)).not.toContain(first?.id);
    const both = await call(one, 'DELETE', '/v2/apps/sleeper/tasks?scale=true&wipe=true');
    expect([both.statusCode, both.json()]).toEqual([
      400,
      { message: 'You cannot use scale and wipe at the same time.' },
    ]);
  });
});

it('with scale answers with a deployment, also if there is nothing to kill', async () => {
  const one = await withTasks();
  const before = await instances(one);
  for (const answer of [
    await call(one, 'DELETE', '/v2/apps/sleeper/tasks?host=none&scale=true'),
    await call(one, 'POST', '/v2/tasks/delete?scale=true', { ids: ['unknown'] }),
  ]) {
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { version: expect.any(String), deploymentId: expect.any(String) },
    ]);
    const { deploymentId: id } = answer.json();
    expect(one.published).toContainEqual(expect.objectContaining({ eventType: 'deployment_success', id }));
  }
  expect(await instances(one)).toBe(before);
});

describe('POST /v2/tasks/delete', () => {
  it('kills the tasks with the given ids, of any app', async () => {
    const one = await withTasks();
    const all = await tasksOf(one, '/v2/tasks');
    const ids = [all[0]?.id, all[1]?.id, 'unknown'];
    const answer = await call(one, 'POST', '/v2/tasks/delete', { ids });
    expect(answer.json()).toEqual({ tasks: expect.arrayContaining(all.slice(0, 2)) });
    expect(answer.json().tasks).toHaveLength(2);
    expect((await call(one, 'POST', '/v2/tasks/delete?scale=true', { ids: [all[2]?.id] })).json()).toEqual({
      version: expect.any(String),
      deploymentId: expect.any(String),
    });
    expect(await instances(one)).toBe(1);
  });

  it('is rejected during a deployment, unless forced', async () => {
    const one = await withTasks();
    const [task] = await tasksOf(one);
    await call(one, 'PUT', '/v2/apps/sleeper', { cpus: 0.2 });
    const scale = (query: string) =>
      call(one, 'POST', `/v2/tasks/delete?scale=true${query}`, { ids: [task?.id] });
    expect((await scale('')).statusCode).toBe(409);
    expect((await scale('&force=true')).statusCode).toBe(200);
  });

  it.each([
    [undefined, 'must be a JSON object with ids', '/'],
    [{}, 'must be an array of strings', '/ids'],
    [{ ids: 'x' }, 'must be an array of strings', '/ids'],
  ])('refuses %j', async (body, error, path) => {
    const answer = await call(server(), 'POST', '/v2/tasks/delete', body);
    expect([answer.statusCode, answer.json().details]).toEqual([422, [{ path, errors: [error] }]]);
  });
});
