import { describe, expect, it } from 'vitest';
import {
  appOf,
  call,
  get,
  PAGE,
  post,
  SLEEPER,
  server,
  withApp,
} from '../../../../test/scheduler/api-server.ts';

describe('POST /v2/apps', () => {
  it('creates an app, and answers with its location, its definition and its deployment', async () => {
    const one = server();
    const answer = await call(one, 'POST', '/v2/apps', { ...SLEEPER, id: 'sleeper', instances: 2 });
    const id = answer.headers['marathon-deployment-id'];
    expect(answer.statusCode).toBe(201);
    expect(answer.headers.location).toBe('/v2/apps/sleeper');
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.json()).toMatchObject({
      ...SLEEPER,
      instances: 2,
      version: '2023-11-14T22:13:20.000Z',
      tasksStaged: 0,
      tasksRunning: 0,
      tasksHealthy: 0,
      tasksUnhealthy: 0,
      tasks: [],
      deployments: [{ id }],
      upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
      killSelection: 'YOUNGEST_FIRST',
      backoffSeconds: 1,
      backoffFactor: 1.15,
      maxLaunchDelaySeconds: 300,
    });
    expect((await get(one, '/v2/deployments')).json()).toMatchObject([{ id }]);
  });

  it('shows fields that Marathon does not have only if the app sets them', async () => {
    const one = await withApp();
    expect(await appOf(one)).not.toHaveProperty('mode');
    await call(one, 'POST', '/v2/apps', { ...SLEEPER, id: '/job', mode: 'job' });
    expect(await appOf(one, '/job')).toMatchObject({ mode: 'job' });
  });

  it.each([
    ['{', 400, { message: 'Invalid JSON', details: [{ path: '/', errors: [expect.any(String)] }] }],
    [
      '[]',
      422,
      { message: 'Object is not valid', details: [{ path: '/', errors: ['must be a JSON object'] }] },
    ],
    [
      { ...SLEEPER, cpus: -1 },
      422,
      { message: 'Object is not valid', details: [{ path: '/cpus', errors: ['must be at least 0.001'] }] },
    ],
    [
      { ...SLEEPER, id: '/a/tasks' },
      422,
      {
        message: 'Object is not valid',
        details: [{ path: '/id', errors: ["may not end in 'tasks', which is part of the API"] }],
      },
    ],
    [
      { ...SLEEPER, portDefinitions: [{ port: 70_000 }] },
      422,
      {
        message: 'Object is not valid',
        details: [{ path: '/portDefinitions(0)/port', errors: ['must be at most 65535'] }],
      },
    ],
  ])('answers %j with %i', async (body, status, answered) => {
    const answer = await call(server(), 'POST', '/v2/apps', body);
    expect([answer.statusCode, answer.json()]).toEqual([status, answered]);
  });

  it('rejects a second app with the same id', async () => {
    const one = await withApp();
    const answer = await call(one, 'POST', '/v2/apps', SLEEPER);
    expect([answer.statusCode, answer.json()]).toEqual([
      409,
      { message: 'An app or group with id [/sleeper] already exists.' },
    ]);
  });

  it('only returns the plan with dryRun', async () => {
    const one = server();
    const answer = await call(one, 'POST', '/v2/apps?dryRun=true', SLEEPER);
    expect(answer.json()).toEqual({
      steps: [{ actions: [{ action: 'StartApplication', app: '/sleeper' }] }],
    });
    expect((await get(one, '/v2/apps')).json()).toEqual({ apps: [] });
  });

  it('resolves relative dependencies from the group of the app', async () => {
    const one = server();
    await call(one, 'POST', '/v2/apps', { ...SLEEPER, id: '/shop/db' });
    await call(one, 'POST', '/v2/apps', { ...SLEEPER, id: '/shop/web', dependencies: ['db', '../other'] });
    expect((await appOf(one, '/shop/web')).dependencies).toEqual(['/shop/db', '/other']);
  });
});

describe('GET /v2/apps', () => {
  it('selects by id, command and label, ignoring case as Marathon does', async () => {
    const one = server();
    const add = (id: string, labels: object, cmd = 'sleep 1') =>
      call(one, 'POST', '/v2/apps', { ...SLEEPER, id, labels, cmd });
    await add('/web/a', { tier: 'front', 'a/b': 'x y' });
    await add('/web/b', { tier: 'back' }, 'Redis');
    await add('/db', {});
    const found = async (query: string) =>
      (await get(one, `/v2/apps?${query}`)).json().apps.map(({ id }: { id: string }) => id);
    expect(await found('id=WEB')).toEqual(['/web/a', '/web/b']);
    expect(await found('cmd=redis')).toEqual(['/web/b']);
    for (const [label, ids] of [
      ['tier', ['/web/a', '/web/b']],
      ['tier==front', ['/web/a']],
      ['tier!=front', ['/db', '/web/b']],
      ['tier in (front, back), a/b', ['/web/a']],
      ['tier notin (front)', ['/db', '/web/b']],
      ['a/b==x\\ y', ['/web/a']],
    ] as const) {
      expect(await found(`label=${encodeURIComponent(label)}`)).toEqual(ids);
    }
    expect((await get(one, '/v2/apps?label=%3D%3D')).json()).toEqual({
      message: 'Object is not valid',
      details: [{ path: '/label', errors: ['is not a label selector'] }],
    });
  });

  it('shows embedded data on request', async () => {
    const one = await withApp();
    const [plain] = (await get(one, '/v2/apps')).json().apps;
    expect(plain).toMatchObject({ tasksRunning: 1, deployments: [] });
    for (const name of ['tasks', 'lastTaskFailure', 'taskStats', 'readinessCheckResults']) {
      expect(plain).not.toHaveProperty(name);
    }
    // Prometheus requests the path with this slash.
    const [full] = (
      await get(one, '/v2/apps/?embed=apps.tasks&embed=apps.taskStats&embed=apps.readiness')
    ).json().apps;
    expect(full).toMatchObject({
      tasks: [
        {
          id: expect.stringMatching(/^sleeper\.instance-[0-9a-f-]{36}\._app\.1$/),
          appId: '/sleeper',
          host: 'a.example',
          ports: [31_000],
          servicePorts: [10_445],
          slaveId: 'S0',
          state: 'TASK_RUNNING',
          stagedAt: '2023-11-14T22:13:20.000Z',
          startedAt: '2023-11-14T22:13:20.000Z',
          version: full.version,
          ipAddresses: [],
          localVolumes: [],
        },
      ],
      taskStats: { totalSummary: { stats: { counts: { running: 1, staged: 0 } } } },
      readinessCheckResults: [],
    });
  });

  it('shows the last failure', async () => {
    const one = await withApp();
    const { tasks } = await appOf(one);
    one.mesos.advance(tasks[0].id, 'TASK_FAILED', { message: 'out of luck' });
    for (const event of one.mesos.inbox.splice(0)) await one.runner.submit({ type: 'mesos', event });
    const failure = { appId: '/sleeper', state: 'TASK_FAILED', message: 'out of luck', taskId: tasks[0].id };
    expect((await appOf(one)).lastTaskFailure).toMatchObject(failure);
    const [listed] = (await get(one, '/v2/apps?embed=apps.failures')).json().apps;
    expect(listed.lastTaskFailure).toMatchObject(failure);
  });

  it('supports paging and the selection of fields', async () => {
    const one = server();
    for (const id of ['/c', '/a', '/b']) await call(one, 'POST', '/v2/apps', { ...SLEEPER, id });
    expect((await get(one, '/v2/apps?fields=id&limit=2')).json()).toEqual({
      apps: [{ id: '/a' }, { id: '/b' }],
      next: '/b',
    });
    expect((await get(one, '/v2/apps?fields=id,cpus&limit=2&cursor=/b')).json()).toEqual({
      apps: [{ id: '/c', cpus: 0.1 }],
    });
    expect((await get(one, '/v2/apps?limit=3')).json()).not.toHaveProperty('next');
    for (const limit of ['0', '-1', 'x', '1.5', '']) {
      const answer = await get(one, `/v2/apps?limit=${limit}`);
      expect([answer.statusCode, answer.json()]).toEqual([
        400,
        { message: `limit is '${limit}': expected a whole number from 1` },
      ]);
    }
  });

  it('is not sent again to a client that has it', async () => {
    const one = await withApp();
    const first = await get(one, '/v2/apps');
    const etag = String(first.headers.etag);
    const again = (tag: string) => call(one, 'GET', '/v2/apps', undefined, { 'if-none-match': tag });
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await again(tag);
      expect([answer.statusCode, answer.body, answer.headers.etag]).toEqual([304, '', etag]);
    }
    expect((await again('"other"')).statusCode).toBe(200);
    await call(one, 'PUT', '/v2/apps/sleeper', { instances: 2 });
    expect((await again(etag)).statusCode).toBe(200);
  });

  it('is text for haproxy-marathon-bridge', async () => {
    const one = await withApp({ instances: 2, portDefinitions: [{ port: 81 }, { port: 80 }] });
    await call(one, 'POST', '/v2/apps', { ...SLEEPER, id: '/a/portless', portDefinitions: [] });
    await one.run();
    const lines = [
      'a_portless\t \ta.example\t\n',
      'sleeper\t81\ta.example:31000\tb.example:31000\t\n',
      'sleeper\t80\ta.example:31001\tb.example:31001\t\n',
    ].join('');
    for (const url of ['/v2/apps', '/v2/tasks']) {
      const answer = await get(one, url, 'text/plain');
      expect([answer.headers['content-type'], answer.body]).toEqual(['text/plain', lines]);
    }
    expect((await get(one, '/v2/apps/sleeper/tasks', 'text/plain')).body).toBe(
      lines.slice(lines.indexOf('\n') + 1),
    );
  });

  it('finds the apps of a group at any depth', async () => {
    const one = server();
    for (const id of ['/g/a', '/g/h/b', '/other']) await call(one, 'POST', '/v2/apps', { ...SLEEPER, id });
    const ids = async (path: string) =>
      (await get(one, path)).json()['*'].map(({ id }: { id: string }) => id);
    expect(await ids('/v2/apps/g/*')).toEqual(['/g/a', '/g/h/b']);
    expect(await ids('/v2/apps//g/h/*')).toEqual(['/g/h/b']);
    expect(await ids('/v2/apps/*')).toEqual(['/g/a', '/g/h/b', '/other']);
    expect(await ids('/v2/apps/none/*')).toEqual([]);
  });
});

describe('GET /v2/apps/{id}', () => {
  it('accepts different spellings of the path, and answers 404 for a missing app', async () => {
    const one = server();
    await call(one, 'POST', '/v2/apps', { ...SLEEPER, id: '/g/a' });
    for (const path of ['/g/a', '//g/a', '/g/a/', '/g%2Fa', '/g/./a']) {
      expect((await get(one, `/v2/apps${path}`)).json().app.id).toBe('/g/a');
    }
    const answer = await get(one, '/v2/apps/x');
    expect([answer.statusCode, answer.json()]).toEqual([404, { message: "App '/x' does not exist" }]);
    const bad = await get(one, '/v2/apps/%ff');
    expect([bad.statusCode, bad.headers['content-type']]).toEqual([400, 'application/json']);
  });

  it('shows apps of v1 too', async () => {
    const one = server();
    await post(one, '/v1/apps/start', PAGE);
    expect(await appOf(one, '/multidis')).toMatchObject({
      id: '/multidis',
      cmd: 'johncosta/redis',
      portDefinitions: [{ port: 10_445 }],
    });
  });

  it('answers HEAD without a body', async () => {
    const one = await withApp();
    const answer = await call(one, 'HEAD', '/v2/apps/sleeper');
    expect([answer.statusCode, answer.body]).toEqual([200, '']);
    expect((await call(one, 'HEAD', '/v2/pods')).statusCode).toBe(200);
  });
});

describe('DELETE /v2/apps/{id}', () => {
  it('removes an app with its tasks', async () => {
    const one = await withApp();
    const answer = await call(one, 'DELETE', '/v2/apps/sleeper');
    expect(answer.json()).toEqual({
      version: expect.any(String),
      deploymentId: answer.headers['marathon-deployment-id'],
    });
    await one.run();
    expect((await get(one, '/v2/apps/sleeper')).statusCode).toBe(404);
    expect((await get(one, '/v2/deployments')).json()).toEqual([]);
    expect((await call(one, 'DELETE', '/v2/apps/sleeper')).json()).toEqual({
      message: "App '/sleeper' does not exist",
    });
  });
});
