import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeMesos } from '../../../test/scheduler/fake-mesos.ts';
import { app, DOCKER, settings } from '../../../test/scheduler/fixtures.ts';
import { createState } from '../domain/state.ts';
import { describe as describeEvent } from '../notices.ts';
import { createRunner, type Runner } from '../runner.ts';
import { createMemoryStore } from '../store/memory.ts';
import type { Api } from './answers.ts';
import { EventStreams } from './events.ts';
import { createApi } from './server.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Server {
  api: Api;
  runner: Runner;
  mesos: FakeMesos;
  faults: unknown[];
  /** Connects to Mesos and lets all that is placed run. */
  run(): Promise<void>;
}

function server(more: { credentials?: string; endpointsPortSuffix?: boolean } = {}): Server {
  const mesos = new FakeMesos([
    { id: 'S0', host: 'a.example', cpus: 4, mem: 4096, ports: 4 },
    { id: 'S1', host: 'b.example', cpus: 4, mem: 4096, ports: 4 },
  ]);
  const events = new EventStreams();
  const faults: unknown[] = [];
  const runner = createRunner({
    state: createState(settings()),
    store: createMemoryStore(),
    now: () => 1_700_000_000_000,
    send: async (call) => mesos.call(call),
    describe: describeEvent,
    publish: (notices) => {
      for (const { event } of notices) if (event) events.publish(event);
    },
    onError: (_what, error) => faults.push(error),
    onFatal: (message) => faults.push(message),
    onNewSession: () => {},
  });
  const api = createApi({
    runner,
    events,
    leader: () => 'host:8080',
    info: { name: 'mesosup', version: '1' },
    now: () => 1_700_000_000_000,
    random: () => 0.0445,
    endpointsPortSuffix: false,
    onError: (_what, error) => faults.push(error),
    ...more,
  });
  closing.push(async () => {
    events.close();
    await api.close();
    await runner.stop();
  });
  const run = async () => {
    mesos.subscribe(true);
    for (let round = 0; round < 20; round += 1) {
      for (const event of mesos.inbox.splice(0)) await runner.submit({ type: 'mesos', event });
      mesos.offer();
      mesos.work();
    }
  };
  return { api, runner, mesos, faults, run };
}

const PAGE = {
  id: 'multidis',
  instances: '2',
  mem: '512',
  cpus: '1',
  executor: DOCKER,
  cmd: 'johncosta/redis',
};

function post({ api }: Server, url: string, payload: unknown, headers: Record<string, string> = {}) {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return api.inject({
    method: 'POST',
    url,
    payload: body,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

function get({ api }: Server, url: string, accept?: string) {
  return api.inject({ method: 'GET', url, ...(accept !== undefined && { headers: { accept } }) });
}

describe('POST /v1/apps/start', () => {
  it('takes the call of the 2013 page, with its answer', async () => {
    const one = server();
    const answer = await post(one, '/v1/apps/start', PAGE);
    expect([answer.statusCode, answer.statusMessage, answer.headers['content-type'], answer.body]).toEqual([
      204,
      'No Content',
      'application/json',
      '',
    ]);
    expect((await get(one, '/v1/apps')).json()).toEqual([
      {
        id: 'multidis',
        cmd: 'johncosta/redis',
        env: {},
        instances: 2,
        cpus: 1,
        mem: 512,
        disk: 0,
        executor: DOCKER,
        constraints: [],
        uris: [],
        ports: [10_445],
      },
    ]);
  });

  it('fills in what is left out, and takes null for that', async () => {
    const one = server();
    await post(one, '/v1/apps/start', {
      id: 'x',
      cmd: 'y',
      executor: null,
      nonsense: [1],
      taskRateLimit: '1.5',
      env: { A: 1, B: true },
    });
    expect((await get(one, '/v1/apps')).json()).toMatchObject([
      { instances: 0, cpus: 1, mem: 128, executor: '', env: { A: '1', B: 'true' }, taskRateLimit: 1.5 },
    ]);
    expect((await get(one, '/v1/apps')).body).not.toContain('nonsense');
  });

  it('reads constraints by name and by number', async () => {
    const one = server();
    const constraints = [
      ['hostname', 'unique'],
      ['rack', 3, 'a.*'],
      ['rack', 'GROUP_BY', 2],
      ['rack', 'CLUSTER'],
    ];
    await post(one, '/v1/apps/start', { id: 'x', cmd: 'y', constraints, container: { image: 'i' } });
    expect((await get(one, '/v1/apps')).json()[0]).toMatchObject({
      constraints: [
        ['hostname', 'UNIQUE'],
        ['rack', 'LIKE', 'a.*'],
        ['rack', 'GROUP_BY', '2'],
        ['rack', 'CLUSTER'],
      ],
      container: { image: 'i', options: [] },
    });
  });

  it.each([
    [{ cmd: 'y' }, 'id', 'may not be empty'],
    [{ id: '', cmd: 'y' }, 'id', 'may not be empty'],
    [{ id: 5, cmd: 'y' }, 'id', 'must be a text'],
    [{ id: 'a b', cmd: 'y' }, 'id', "may only hold letters, digits, '_', '.' and '-'"],
    [{ id: 'a/../b', cmd: 'y' }, 'id', "may only hold letters, digits, '_', '.' and '-'"],
    [{ id: 'x'.repeat(201), cmd: 'y' }, 'id', 'may have at most 200 characters'],
    [{ id: 'x' }, 'cmd', 'may not be empty'],
    [{ id: 'x', cmd: 'a\0b' }, 'cmd', 'may not hold a NUL'],
    [{ id: 'x', cmd: 'y', cpus: -1 }, 'cpus', 'must be at least 0.001'],
    [{ id: 'x', cmd: 'y', cpus: 'many' }, 'cpus', 'must be a number'],
    [{ id: 'x', cmd: 'y', mem: 1e300 }, 'mem', 'must be at most 1000000000000'],
    [{ id: 'x', cmd: 'y', instances: -1 }, 'instances', 'must be at least 0'],
    [{ id: 'x', cmd: 'y', instances: 1.5 }, 'instances', 'must be a whole number'],
    [{ id: 'x', cmd: 'y', instances: '1e99' }, 'instances', 'must be at most 1000000'],
    [{ id: 'x', cmd: 'y', executor: 'docker' }, 'executor', "must be '//cmd', an absolute path, or empty"],
    [{ id: 'x', cmd: 'y', ports: [70_000] }, 'ports.0', 'must be at most 65535'],
    [{ id: 'x', cmd: 'y', ports: [80, 80] }, 'ports', 'must be different from each other'],
    [{ id: 'x', cmd: 'y', ports: '80' }, 'ports', 'must be an array of numbers'],
    [{ id: 'x', cmd: 'y', env: [] }, 'env', 'must be an object of texts'],
    [{ id: 'x', cmd: 'y', env: { A: {} } }, 'env.A', 'must be a text'],
    [{ id: 'x', cmd: 'y', constraints: [['a']] }, 'constraints.0', 'must be [field, operator, value]'],
    [
      { id: 'x', cmd: 'y', constraints: [['a', 'NEAR']] },
      'constraints.0',
      "has an unknown operator 'NEAR': one of UNIQUE, CLUSTER, GROUP_BY, LIKE, UNLIKE was expected",
    ],
    [{ id: 'x', cmd: 'y', constraints: [['a', 'LIKE']] }, 'constraints.0', 'LIKE needs a pattern'],
    [
      { id: 'x', cmd: 'y', constraints: [['a', 'LIKE', '(']] },
      'constraints.0',
      'LIKE has a pattern that is not a regular expression: (',
    ],
    [
      { id: 'x', cmd: 'y', constraints: [['a', 'GROUP_BY', 'x']] },
      'constraints.0',
      'GROUP_BY takes a number of groups',
    ],
    [{ id: 'x', cmd: 'y', container: { image: '' } }, 'container.image', 'may not be empty'],
    [{ id: 'x', cmd: 'y', container: 'redis' }, 'container', 'must be an object with an image'],
    [[], 'body', 'must be a JSON object'],
    ['"x"', 'body', 'must be a JSON object'],
  ])('refuses %j', async (body, attribute, error) => {
    const one = server();
    const answer = await post(one, '/v1/apps/start', body);
    expect(answer.statusCode).toBe(422);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.json()).toEqual({ errors: [{ attribute, error }] });
    expect((await get(one, '/v1/apps')).json()).toEqual([]);
  });

  it('tells all that is wrong at once', async () => {
    const answer = await post(server(), '/v1/apps/start', { id: '-', cpus: 'x', mem: -1 });
    expect(answer.json().errors.map(({ attribute }: { attribute: string }) => attribute)).toEqual([
      'cpus',
      'mem',
    ]);
  });

  it('refuses a second start', async () => {
    const one = server();
    await post(one, '/v1/apps/start', PAGE);
    const answer = await post(one, '/v1/apps/start', PAGE);
    expect([answer.statusCode, answer.body]).toEqual([
      422,
      `{"errors":[{"attribute":"id","error":"Already started app 'multidis'"}]}`,
    ]);
  });

  it('takes JSON whatever it is called, as curl -d calls it a form', async () => {
    const one = server();
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await post(one, '/v1/apps/start', PAGE, type)).statusCode).toBe(204);
  });

  it('answers what is no JSON with 400', async () => {
    const one = server();
    for (const body of ['{', 'id=x', '{"id":"x",}', '']) {
      const answer = await post(one, '/v1/apps/start', body);
      expect([400, 422]).toContain(answer.statusCode);
      expect(answer.json()).toBeTypeOf('object');
    }
    expect((await post(one, '/v1/apps/start', '{')).json().message).toMatch(/^The body is not JSON: /);
    expect((await post(one, '/v1/apps/start', `{"id":"${'x'.repeat(2 ** 20)}"}`)).statusCode).toBe(413);
    expect(one.faults).toEqual([]);
  });

  it('does not take calls from pages of other sites', async () => {
    const one = server();
    expect((await post(one, '/v1/apps/start', PAGE, { host: 'h:1', origin: 'http://evil' })).statusCode).toBe(
      403,
    );
    expect((await post(one, '/v1/apps/start', PAGE, { host: 'h:1', origin: 'null' })).statusCode).toBe(403);
    expect((await post(one, '/v1/apps/start', PAGE, { host: 'h:1', origin: 'http://h:1' })).statusCode).toBe(
      204,
    );
  });

  it('is not led astray by names such as __proto__', async () => {
    const one = server();
    const body =
      '{"id":"x","cmd":"y","__proto__":{"cpus":9},"constructor":1,"env":{"__proto__":"z","constructor":"w"}}';
    expect((await post(one, '/v1/apps/start', body)).statusCode).toBe(204);
    expect((await get(one, '/v1/apps')).json()[0]).toMatchObject({ cpus: 1, env: { constructor: 'w' } });
  });
});

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

  it('kills tasks, and tells which', async () => {
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

  it('says who leads', async () => {
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

  it('leaves out what does not run any more', async () => {
    const one = server();
    await post(one, '/v1/apps/start', PAGE);
    await one.run();
    one.mesos.advance('multidis_1-1700000000000', 'TASK_FAILED');
    for (const event of one.mesos.inbox.splice(0)) await one.runner.submit({ type: 'mesos', event });
    expect((await get(one, '/v1/endpoints')).body).toBe('multidis 10445 a.example:31000 \n');
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
      'a 82 a.example:31002 \nz_81 81 a.example:31000 \nz_80 80 a.example:31001 \n',
    );
    expect((await get(one, '/v1/endpoints/a')).body).toBe('a 82 a.example:31002 \n');
    const suffixed = server({ endpointsPortSuffix: true });
    await post(suffixed, '/v1/apps/start', { id: 'a', cmd: 'x', executor: '//cmd', ports: [82] });
    expect((await get(suffixed, '/v1/endpoints')).body).toBe('a_82 82 \n');
  });

  it('is JSON where that is asked for', async () => {
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
});

describe('GET /v2/queue', () => {
  it('says why an app waits', async () => {
    const one = server();
    const { runner, mesos } = one;
    const queue = async () => (await get(one, '/v2/queue')).json().queue;
    await post(one, '/v1/apps/start', { ...PAGE, cpus: 9 });
    expect(await queue()).toMatchObject([
      {
        app: { id: 'multidis' },
        count: 2,
        delay: { timeLeftSeconds: 0, overdue: true },
        reasons: ['not subscribed to a Mesos master: it has not been reached yet'],
      },
    ]);
    mesos.subscribe(true);
    for (const event of mesos.inbox.splice(0)) await runner.submit({ type: 'mesos', event });
    expect((await queue())[0].reasons).toEqual([
      'waiting for an offer: no agent is registered, or none has resources to offer at the moment',
    ]);
    mesos.offer();
    for (const event of mesos.inbox.splice(0)) await runner.submit({ type: 'mesos', event });
    expect((await queue())[0].reasons).toEqual([
      'a.example, b.example: cpus: 9.1 wanted, 0.1 of that for its executor, 4 offered',
    ]);
  });

  it('shows the delay and the last failure', async () => {
    const one = server();
    await post(one, '/v1/apps/start', { ...PAGE, instances: 1 });
    one.mesos.subscribe(true);
    const deliver = async () => {
      while (one.mesos.inbox.length > 0)
        for (const event of one.mesos.inbox.splice(0)) await one.runner.submit({ type: 'mesos', event });
    };
    await deliver();
    one.mesos.offer();
    await deliver();
    one.mesos.advance('multidis_0-1700000000000', 'TASK_FAILED', { message: 'no such image' });
    await deliver();
    expect((await get(one, '/v2/queue')).json().queue[0]).toMatchObject({
      delay: { timeLeftSeconds: 1, overdue: false },
      reasons: [
        'its tasks keep ending: the next launch is in 1 s',
        'last failure: multidis_0-1700000000000 on a.example, TASK_FAILED at 2023-11-14T22:13:20.000Z: no such image',
      ],
    });
  });

  it('is empty when all runs', async () => {
    const one = server();
    await post(one, '/v1/apps/start', PAGE);
    await one.run();
    expect((await get(one, '/v2/queue')).json()).toEqual({ queue: [] });
  });
});

describe('the rest', () => {
  it('counts in /metrics, and says what it is in /v2/info', async () => {
    const one = server();
    await post(one, '/v1/apps/start', PAGE);
    expect((await get(one, '/v2/info')).json()).toMatchObject({
      name: 'mesosup',
      leader: 'host:8080',
      connected: false,
      frameworkId: null,
    });
    await one.run();
    expect((await get(one, '/metrics')).json().gauges).toMatchObject({
      'mesosup.apps': { value: 1 },
      'mesosup.tasks.TASK_RUNNING': { value: 2 },
      'mesosup.connected': { value: 1 },
    });
    expect((await get(one, '/v2/info')).json()).toMatchObject({ connected: true, frameworkId: 'framework' });
  });

  it('has nothing elsewhere', async () => {
    const answer = await get(server(), '/v1/nothing');
    expect([answer.statusCode, answer.json()]).toEqual([
      404,
      { message: 'There is nothing at GET /v1/nothing' },
    ]);
  });

  it('wants the password, where there is one, but for /ping', async () => {
    const one = server({ credentials: 'u:p' });
    const refused = await get(one, '/v1/apps');
    expect([refused.statusCode, refused.headers['www-authenticate']]).toEqual([401, 'Basic realm="mesosup"']);
    const as = async (text: string) => {
      const authorization = `Basic ${Buffer.from(text).toString('base64')}`;
      return (await one.api.inject({ url: '/v1/apps', headers: { authorization } })).statusCode;
    };
    expect(await as('u:q')).toBe(401);
    expect(await as('u:p')).toBe(200);
    expect((await get(one, '/ping')).statusCode).toBe(200);
  });

  it('hides its own faults, and survives them', async () => {
    const one = server();
    one.runner.read = () => Promise.reject(new Error('secret'));
    const answer = await get(one, '/v1/apps');
    expect([answer.statusCode, answer.json()]).toEqual([
      500,
      { message: 'The scheduler failed to answer; its log says why' },
    ]);
    expect(one.faults).toMatchObject([{ message: 'secret' }]);
  });
});

describe('GET /v2/events', () => {
  async function listening(one: Server, query = ''): Promise<IncomingMessage> {
    if (!one.api.server.listening) await one.api.listen({ host: '127.0.0.1', port: 0 });
    const { port } = one.api.server.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({ host: '127.0.0.1', port, path: `/v2/events${query}` }, resolve);
      outgoing.on('error', reject).end();
      closing.unshift(async () => outgoing.destroy());
    });
  }

  async function firstEvent(stream: IncomingMessage): Promise<string> {
    let text = '';
    for await (const chunk of stream) {
      text += String(chunk);
      const event = text.split('\n\n').find((part) => part.startsWith('event: '));
      if (event !== undefined && text.endsWith('\n\n')) return event;
    }
    return text;
  }

  it('tells of tasks as they change', async () => {
    const one = server();
    const stream = await listening(one, '?event_type=status_update_event&event_type=other');
    expect(stream.headers['content-type']).toBe('text/event-stream');
    await post(one, '/v1/apps/start', { ...PAGE, instances: 1 });
    await one.run();
    const [name, data] = (await firstEvent(stream)).split('\n');
    expect(name).toBe('event: status_update_event');
    expect(JSON.parse(data?.replace('data: ', '') ?? '')).toMatchObject({
      eventType: 'status_update_event',
      appId: '/multidis',
      taskId: 'multidis_0-1700000000000',
      taskStatus: 'TASK_RUNNING',
      host: 'a.example',
      ports: [31_000],
      slaveId: 'S0',
      timestamp: '2023-11-14T22:13:20.000Z',
    });
  });

  it('tells of all events where none is named', async () => {
    const one = server();
    const stream = await listening(one);
    await one.run();
    expect(await firstEvent(stream)).toMatch(/^event: scheduler_registered_event\ndata: \{/);
  });
});

it('answers reads only with what is stored', async () => {
  let finish: (() => void) | undefined;
  const store = createMemoryStore();
  const append = store.append;
  store.append = async (events) => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    await append(events);
  };
  const runner = createRunner({
    state: createState(settings()),
    store,
    now: () => 0,
    send: async () => {},
    describe: () => undefined,
    publish: () => {},
    onError: () => {},
    onFatal: () => {},
    onNewSession: () => {},
  });
  const order: string[] = [];
  const started = runner.submit({ type: 'start', app: app(), seed: 0 }).then(() => order.push('started'));
  await Promise.resolve();
  await Promise.resolve();
  const read = runner.read((state) => order.push(`read ${state.apps.size}`));
  expect(order).toEqual([]);
  finish?.();
  await Promise.all([started, read]);
  expect(order).toEqual(['started', 'read 1']);
  await runner.stop();
});
