import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { get, PAGE, post, server } from '../../../../test/scheduler/api-server.ts';

describe('the other calls of v1', () => {
  it('scale and stop answer 204, and 404 for an unknown app', async () => {
    const one = server();
    await post(one, '/v1/apps/start', PAGE);
    expect((await post(one, '/v1/apps/scale', { id: 'multidis', instances: '3' })).statusCode).toBe(204);
    expect((await get(one, '/v1/apps')).json()[0].instances).toBe(3);
    expect((await post(one, '/v1/apps/stop', { id: 'multidis', more: 1 })).statusCode).toBe(204);
    for (const [url, body] of [
      ['/v1/apps/stop', { id: 'multidis' }],
      ['/v1/apps/scale', { id: 'multidis', instances: 1 }],
    ] as const) {
      const answer = await post(one, url, body);
      expect([answer.statusCode, answer.body]).toEqual([404, `{"message":"Unknown app 'multidis'"}`]);
    }
    expect((await get(one, '/v1/apps')).json()).toEqual([]);
  });

  it('scale needs a number of instances', async () => {
    const one = server();
    const errors = async (body: unknown) => (await post(one, '/v1/apps/scale', body)).json().errors;
    expect(await errors({ id: 'x' })).toEqual([{ attribute: 'instances', error: 'may not be empty' }]);
    expect(await errors({ id: 'x', instances: 'two' })).toEqual([
      { attribute: 'instances', error: 'must be a whole number' },
    ]);
    expect(await errors({ id: 'x', instances: 1e9 })).toEqual([
      { attribute: 'instances', error: 'must be at most 1000000' },
    ]);
    expect((await post(one, '/v1/apps/stop', {})).json()).toEqual({
      errors: [{ attribute: 'id', error: 'may not be empty' }],
    });
  });

  it('search matches parts, ignoring case', async () => {
    const one = server();
    await post(one, '/v1/apps/start', PAGE);
    await post(one, '/v1/apps/start', { id: 'other', cmd: 'Sleep' });
    const found = async (query: string) =>
      (await get(one, `/v1/apps/search?${query}`)).json().map(({ id }: { id: string }) => id);
    expect(await found('id=DIS')).toEqual(['multidis']);
    expect(await found('cmd=sleep')).toEqual(['other']);
    expect(await found('id=o&cmd=redis')).toEqual([]);
    expect(await found('id=')).toEqual(['multidis', 'other']);
  });

  it('lists tasks by app', async () => {
    const one = server();
    await post(one, '/v1/apps/start', { ...PAGE, instances: 1 });
    await one.run();
    const tasks = [{ id: 'multidis_0-1700000000000', host: 'a.example', ports: [31_000] }];
    expect((await get(one, '/v1/tasks')).json()).toEqual({ multidis: tasks });
    expect((await get(one, '/v1/apps/multidis/tasks')).json()).toEqual({ multidis: tasks });
    expect((await get(one, '/v1/apps/x/tasks')).statusCode).toBe(404);
  });

  it('kills tasks, and lists them', async () => {
    const one = server();
    await post(one, '/v1/apps/start', PAGE);
    await one.run();
    const none = await post(one, '/v1/tasks/kill?appId=multidis&host=c', {});
    expect([none.statusCode, none.body]).toEqual([404, '{"message":"No tasks matched your filters"}']);
    const killed = await one.api.inject({
      method: 'POST',
      url: '/v1/tasks/kill?appId=multidis&host=a.example&scale=true',
    });
    expect(killed.json()).toEqual([{ id: 'multidis_0-1700000000000', host: 'a.example', ports: [31_000] }]);
    expect((await get(one, '/v1/apps')).json()[0].instances).toBe(1);
    const byId = await post(one, '/v1/tasks/kill?id=multidis_1-1700000000000', {});
    expect(byId.json()).toHaveLength(1);
  });

  it('shows the leader', async () => {
    const one = server();
    expect((await get(one, '/v1/debug/isLeader')).body).toBe('true');
    expect((await get(one, '/v1/debug/leaderUrl')).body).toBe('"host:8080"');
    expect((await get(one, '/ping')).body).toBe('pong');
    expect((await get(one, '/ping/')).body).toBe('pong');
  });
});

describe('GET /v1/endpoints', () => {
  it("has the 2013 page's line, chunked", async () => {
    const one = server();
    await post(one, '/v1/apps/start', PAGE);
    expect((await get(one, '/v1/endpoints')).body).toBe('multidis 10445 \n');
    await one.run();
    for (const accept of [undefined, '*/*', 'text/plain', 'text/plain, application/json']) {
      const answer = await get(one, '/v1/endpoints', accept);
      expect([
        answer.statusCode,
        answer.headers['content-type'],
        answer.headers['transfer-encoding'],
        answer.body,
      ]).toEqual([200, 'text/plain', 'chunked', 'multidis 10445 a.example:31000 b.example:31000 \n']);
    }
  });

  it('leaves out tasks that have ended', async () => {
    const one = server();
    await post(one, '/v1/apps/start', PAGE);
    await one.run();
    one.mesos.advance('multidis_1-1700000000000', 'TASK_FAILED');
    for (const event of one.mesos.inbox.splice(0)) await one.runner.submit({ type: 'mesos', event });
    expect((await get(one, '/v1/endpoints')).body).toBe('multidis 10445 a.example:31000 \n');
  });

  it('leaves out tasks that are being killed', async () => {
    const one = server();
    await post(one, '/v1/apps/start', PAGE);
    await one.run();
    await post(one, '/v1/tasks/kill?id=multidis_1-1700000000000', {});
    expect((await get(one, '/v1/endpoints')).body).toBe('multidis 10445 a.example:31000 \n');
    expect((await get(one, '/v1/tasks')).json().multidis).toHaveLength(2);
  });

  it('names apps with several ports by id and port', async () => {
    const one = server();
    await post(one, '/v1/apps/start', {
      id: 'z',
      cmd: 'x',
      executor: '//cmd',
      ports: [81, 80],
      instances: 1,
    });
    await post(one, '/v1/apps/start', { id: 'a', cmd: 'x', executor: '//cmd', ports: [82], instances: 1 });
    await one.run();
    expect((await get(one, '/v1/endpoints')).body).toBe(
      'a 82 b.example:31000 \nz_81 81 a.example:31000 \nz_80 80 a.example:31001 \n',
    );
    expect((await get(one, '/v1/endpoints/a')).body).toBe('a 82 b.example:31000 \n');
    const suffixed = server({ endpointsPortSuffix: true });
    await post(suffixed, '/v1/apps/start', { id: 'a', cmd: 'x', executor: '//cmd', ports: [82] });
    expect((await get(suffixed, '/v1/endpoints')).body).toBe('a_82 82 \n');
  });

  it('is JSON on request', async () => {
    const one = server();
    await post(one, '/v1/apps/start', { ...PAGE, instances: 1 });
    await one.run();
    const entry = {
      id: 'multidis',
      ports: [10_445],
      instances: [{ id: 'multidis_0-1700000000000', host: 'a.example', ports: [31_000] }],
    };
    expect((await get(one, '/v1/endpoints', 'application/json; q=1')).json()).toEqual([entry]);
    expect((await get(one, '/v1/endpoints/multidis', 'application/json')).json()).toEqual(entry);
  });

  it('is 404 for an unknown app', async () => {
    const one = server();
    const text = await get(one, '/v1/endpoints/x');
    expect([text.statusCode, text.headers['content-type'], text.body]).toEqual([
      404,
      'text/plain',
      "App 'x' does not exist",
    ]);
    const json = await get(one, '/v1/endpoints/x', 'application/json');
    expect([json.statusCode, json.json()]).toEqual([404, { message: "Unknown app 'x'" }]);
  });

  it('ignores the content type of an empty body', async () => {
    const one = server();
    await post(one, '/v1/apps/start', { ...PAGE, instances: 1 });
    await one.run();
    expect((await post(one, '/v1/tasks/kill?appId=multidis&host=*', '')).statusCode).toBe(200);
    expect((await post(one, '/v1/apps/stop', '')).json()).toEqual({
      errors: [{ attribute: 'body', error: 'must be a JSON object' }],
    });
  });

  it('answers clients of HTTP/1.0 without chunks', async () => {
    const { api } = server();
    await api.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect((api.server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET /ping HTTP/1.0\r\n\r\n');
    const answer = Buffer.concat(await socket.toArray()).toString();
    expect(answer).toMatch(/\r\nContent-Length: 4\r\n/);
    expect(answer).not.toContain('chunked');
  });

  it('accepts media types in any case', async () => {
    const answer = await get(server(), '/v1/endpoints', 'Application/JSON');
    expect(answer.headers['content-type']).toBe('application/json');
  });
});
