import { expect, it } from 'vitest';
import { call, get, server } from '../../../../test/scheduler/api-server.ts';

it('rejects callbacks, and refers to the event stream', async () => {
  const one = server();
  expect((await get(one, '/v2/eventSubscriptions')).json()).toEqual({ callbackUrls: [] });
  for (const method of ['POST', 'DELETE'] as const) {
    const answer = await call(one, method, '/v2/eventSubscriptions?callbackUrl=http%3A%2F%2Fx');
    expect([answer.statusCode, answer.json()]).toEqual([
      400,
      { message: 'Events are not sent to callback URLs: read them from GET /v2/events' },
    ]);
  }
});

it('hands the leadership over if there are several schedulers', async () => {
  const alone = await call(server(), 'DELETE', '/v2/leader');
  expect([alone.statusCode, alone.json()]).toEqual([
    409,
    { message: 'This scheduler runs alone: no other scheduler can take over' },
  ]);
  let abdicated = 0;
  const one = server({ abdicate: () => (abdicated += 1) });
  expect((await get(one, '/v2/leader')).json()).toEqual({ leader: 'host:8080' });
  expect((await call(one, 'DELETE', '/v2/leader?backup=file%3A%2F%2F%2Fx')).statusCode).toBe(422);
  expect(abdicated).toBe(0);
  const answer = await call(one, 'DELETE', '/v2/leader');
  expect([answer.statusCode, answer.json()]).toEqual([200, { message: 'Leadership abdicated' }]);
  expect(abdicated).toBe(1);
});

it('answers requests for pods with an empty list', async () => {
  const one = server();
  expect((await call(one, 'HEAD', '/v2/pods')).statusCode).toBe(200);
  expect((await get(one, '/v2/pods')).json()).toEqual([]);
});

it('accepts a slash at the end of every route', async () => {
  const one = server();
  for (const path of ['apps', 'tasks', 'deployments', 'groups', 'queue', 'info', 'leader', 'pods']) {
    const [plain, slashed] = [await get(one, `/v2/${path}`), await get(one, `/v2/${path}/`)];
    expect([slashed.statusCode, slashed.body]).toEqual([200, plain.body]);
  }
});

it('answers malformed requests with its own error bodies', async () => {
  const one = server();
  for (const url of ['/v2/apps/%', '/v1/apps/%zz/tasks', `/v2/deployments/${'x'.repeat(501)}`]) {
    const answer = await get(one, url);
    expect([400, 404, 414]).toContain(answer.statusCode);
    expect(answer.json()).toEqual({ message: expect.any(String) });
    expect(answer.headers['content-type']).toBe('application/json');
  }
  expect(one.faults).toEqual([]);
});
