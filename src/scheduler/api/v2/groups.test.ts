import { describe, expect, it } from 'vitest';
import { call, get, PAGE, post, type Server, server } from '../../../../test/scheduler/api-server.ts';

const SLEEPER = { cmd: 'sleep 1000', cpus: 0.1, mem: 16 };
const SHOP = {
  id: '/shop',
  apps: [{ ...SLEEPER, id: 'db' }],
  groups: [
    {
      id: 'front',
      dependencies: ['../db'],
      apps: [
        { ...SLEEPER, id: 'web', instances: 2 },
        { ...SLEEPER, id: '/shop/front/ads' },
      ],
    },
  ],
};

async function shop(): Promise<Server> {
  const one = server();
  expect((await call(one, 'POST', '/v2/groups', SHOP)).statusCode).toBe(201);
  await one.run();
  return one;
}

async function appIds(one: Server): Promise<string[]> {
  return (await get(one, '/v2/apps?fields=id')).json().apps.map(({ id }: { id: string }) => id);
}

describe('POST /v2/groups', () => {
  it('creates a group with everything in it, in the order of the dependencies', async () => {
    const one = server();
    const answer = await call(one, 'POST', '/v2/groups', SHOP);
    expect(answer.headers.location).toBe('/v2/groups/shop');
    expect(answer.json()).toEqual({
      version: expect.any(String),
      deploymentId: answer.headers['marathon-deployment-id'],
    });
    const [{ steps }] = (await get(one, '/v2/deployments')).json();
    expect(steps).toEqual([
      { actions: [{ action: 'StartApplication', app: '/shop/db' }] },
      {
        actions: [
          { action: 'StartApplication', app: '/shop/front/web' },
          { action: 'StartApplication', app: '/shop/front/ads' },
        ],
      },
    ]);
  });

  it('is rejected if the group exists', async () => {
    const one = await shop();
    const again = await call(one, 'POST', '/v2/groups', SHOP);
    expect([again.statusCode, again.json()]).toEqual([
      409,
      { message: 'An app or group with id [/shop] already exists.' },
    ]);
    const within = await call(one, 'POST', '/v2/groups/shop', { id: 'back' });
    expect([within.statusCode, within.headers.location]).toEqual([201, '/v2/groups/shop/back']);
    expect((await get(one, '/v2/groups/shop/back')).json()).toMatchObject({ id: '/shop/back', apps: [] });
  });

  it.each([
    [{ id: '/A' }, '/id'],
    [{ id: '/x', apps: [{ cmd: 'x' }] }, '/apps(0)/id'],
    [{ id: '/x', apps: 'x' }, '/apps'],
    [{ id: '/x', apps: [{ id: 'y', cmd: 'x', cpus: -1 }] }, '/apps(0)/cpus'],
    ['[]', '/'],
  ])('refuses %j', async (body, path) => {
    const one = server();
    const answer = await call(one, 'POST', '/v2/groups', body);
    expect([answer.statusCode, answer.json().details[0].path]).toEqual([422, path]);
    expect(await appIds(one)).toEqual([]);
  });

  it('refuses cyclic dependencies', async () => {
    const apps = [
      { ...SLEEPER, id: 'a', dependencies: ['b'] },
      { ...SLEEPER, id: 'b', dependencies: ['/x/a'] },
    ];
    const answer = await call(server(), 'POST', '/v2/groups', { id: '/x', apps });
    expect([answer.statusCode, answer.json().details]).toEqual([
      422,
      [{ path: '/apps(0)/dependencies', errors: [expect.stringContaining('form a cycle')] }],
    ]);
  });
});

describe('GET /v2/groups', () => {
  it('shows the tree', async () => {
    const one = await shop();
    await call(one, 'POST', '/v2/apps', { ...SLEEPER, id: '/alone' });
    const root = (await get(one, '/v2/groups/')).json();
    expect(root).toMatchObject({
      id: '/',
      dependencies: [],
      pods: [],
      apps: [{ id: '/alone' }],
      groups: [
        {
          id: '/shop',
          apps: [{ id: '/shop/db' }],
          groups: [
            {
              id: '/shop/front',
              dependencies: ['/shop/db'],
              apps: [{ id: '/shop/front/ads' }, {}],
              groups: [],
            },
          ],
        },
      ],
    });
    expect(root.version).toBe((await get(one, '/v2/apps/alone')).json().app.version);
    expect((await get(one, '/v2/groups//shop/front')).json()).toEqual(root.groups[0].groups[0]);
    expect((await get(one, '/v2/groups/shop/apps')).json()).toMatchObject({
      apps: [{ id: '/shop/db' }, { id: '/shop/front/ads' }, { id: '/shop/front/web' }],
    });
    expect((await get(one, '/v2/groups/shop/versions')).json()).toEqual([root.groups[0].version]);
    const none = await get(one, '/v2/groups/none');
    expect((await get(one, '/v2/groups//versions')).json()).toEqual([root.version]);
    expect([none.statusCode, none.json()]).toEqual([404, { message: "Group '/none' does not exist" }]);
  });

  it('shows more or less data on request', async () => {
    const one = await shop();
    const { apps, groups } = (await get(one, '/v2/groups/shop?embed=group.groups')).json();
    expect([apps, groups]).toEqual([[], [expect.objectContaining({ id: '/shop/front', apps: [] })]]);
    const full = await get(
      one,
      '/v2/groups/shop?embed=group.apps&embed=group.apps.tasks&embed=group.apps.counts',
    );
    expect(full.json()).toMatchObject({
      groups: [],
      apps: [{ tasksRunning: 1, tasks: [{ appId: '/shop/db' }] }],
    });
    const etag = String(full.headers.etag);
    const again = await call(one, 'GET', full.raw.req.url ?? '', undefined, { 'if-none-match': etag });
    expect(again.statusCode).toBe(304);
  });
});

describe('PUT /v2/groups', () => {
  it('accepts the answer of GET without a change', async () => {
    const one = await shop();
    await post(one, '/v1/apps/start', { ...PAGE, id: 'Of_V1' });
    await one.run();
    for (const path of ['', '/', '/shop', '/shop/front', '?embed=group.groups&embed=group.apps.tasks']) {
      const shown = (await get(one, `/v2/groups${path}`)).json();
      const plan = await call(one, 'PUT', `/v2/groups${path.split('?')[0]}?dryRun=true`, shown);
      expect(plan.json()).toEqual({ steps: [] });
      const answer = await call(one, 'PUT', `/v2/groups${path.split('?')[0]}`, shown);
      expect(answer.statusCode).toBe(200);
      expect((await get(one, `/v2/groups${path}`)).json()).toEqual(shown);
      expect((await get(one, '/v2/deployments')).json()).toEqual([]);
    }
  });

  it('removes members that are missing in its lists, and keeps all members without a list', async () => {
    const one = await shop();
    await call(one, 'PUT', '/v2/groups/shop', { apps: [{ ...SLEEPER, id: 'cache' }] });
    await one.run();
    expect(await appIds(one)).toEqual(['/shop/cache', '/shop/front/ads', '/shop/front/web']);
    await call(one, 'PUT', '/v2/groups/shop', { groups: [] });
    await one.run();
    expect(await appIds(one)).toEqual(['/shop/cache']);
    expect((await get(one, '/v2/groups/shop/front')).statusCode).toBe(404);
  });

  it('scales all apps in the group', async () => {
    const one = await shop();
    const answer = await call(one, 'PUT', '/v2/groups/shop/front', { scaleBy: 1.5 });
    expect(answer.json()).toEqual({ version: expect.any(String), deploymentId: expect.any(String) });
    const { apps } = (await get(one, '/v2/apps?fields=id,instances')).json();
    expect(apps).toEqual([
      { id: '/shop/db', instances: 1 },
      { id: '/shop/front/ads', instances: 2 },
      { id: '/shop/front/web', instances: 3 },
    ]);
    expect((await call(one, 'PUT', '/v2/groups/none', { scaleBy: 2 })).statusCode).toBe(404);
    const wrong = await call(one, 'PUT', '/v2/groups/shop', { scaleBy: -1 });
    expect([wrong.statusCode, wrong.json().details]).toEqual([
      422,
      [{ path: '/scaleBy', errors: ['must be at least 0'] }],
    ]);
  });

  it('needs no id in the body', async () => {
    const one = await shop();
    for (const id of ['/shop/front', 'shop/front', 'front']) {
      expect((await call(one, 'PUT', '/v2/groups/shop/front', { id })).statusCode).toBe(200);
    }
    const other = await call(one, 'PUT', '/v2/groups/shop/front', { id: '/other' });
    expect([other.statusCode, other.json().details[0].path]).toEqual([422, '/id']);
    expect((await call(one, 'PUT', '/v2/groups', { id: '/new', apps: [] })).statusCode).toBe(200);
    expect((await get(one, '/v2/groups/new')).statusCode).toBe(200);
  });

  it.each([
    [{ scaleBy: 2, version: '2001-01-01T00:00:00.000Z' }, '/version'],
    [{ scaleBy: 2, apps: [{ id: 'x', cmd: 'true' }] }, '/apps'],
    [{ scaleBy: 2, dependencies: ['/y'] }, '/dependencies'],
  ])('refuses other fields beside scaleBy: %j', async (body, path) => {
    const one = await shop();
    const answer = await call(one, 'PUT', '/v2/groups/shop/front', body);
    expect([answer.statusCode, answer.json().details]).toMatchObject([422, [{ path }]]);
    const same = { id: '/shop/front', scaleBy: 2, version: null, apps: [], dependencies: [] };
    expect((await call(one, 'PUT', '/v2/groups/shop/front', same)).statusCode).toBe(200);
  });

  it('is shown in its current version, and in no other', async () => {
    const one = await shop();
    for (const group of ['', '/shop/front']) {
      const current = (await get(one, `/v2/groups${group}`)).json();
      const shown = await get(one, `/v2/groups${group}/versions/${current.version}`);
      expect(shown.json()).toEqual(current);
      const older = await get(one, `/v2/groups${group}/versions/2001-01-01T00:00:00.000Z`);
      expect([older.statusCode, older.json().message]).toEqual([
        404,
        expect.stringMatching(/has no version '2001-.*older versions of groups are not kept/),
      ]);
    }
    expect((await get(one, '/v2/groups/none/versions/x')).json().message).toBe(
      "Group '/none' does not exist",
    );
    expect((await get(one, '/v2/groups/shop/apps/x')).statusCode).toBe(404);
  });

  it('refuses to revert to an older version of a group', async () => {
    const one = await shop();
    for (const [path, body] of [
      ['/shop', { version: '2001-01-01T00:00:00.000Z' }],
      ['/shop/versions/2001-01-01T00:00:00.000Z', undefined],
    ] as const) {
      const answer = await call(one, 'PUT', `/v2/groups${path}`, body);
      expect([answer.statusCode, answer.json().details[0].path]).toEqual([422, '/version']);
    }
  });

  it('is rejected during another deployment, unless forced', async () => {
    const one = await shop();
    await call(one, 'PUT', '/v2/apps/shop/db', { cpus: 0.2 });
    expect((await call(one, 'PUT', '/v2/groups/shop', { apps: [] })).statusCode).toBe(409);
    expect((await call(one, 'PUT', '/v2/groups/shop?force=true', { apps: [] })).statusCode).toBe(200);
  });
});

describe('DELETE /v2/groups', () => {
  it('removes a group with everything in it', async () => {
    const one = await shop();
    await call(one, 'POST', '/v2/apps', { ...SLEEPER, id: '/alone' });
    await one.run();
    const answer = await call(one, 'DELETE', '/v2/groups/shop');
    expect(answer.json()).toEqual({ version: expect.any(String), deploymentId: expect.any(String) });
    await one.run();
    expect(await appIds(one)).toEqual(['/alone']);
    expect((await call(one, 'DELETE', '/v2/groups/shop')).statusCode).toBe(404);
    expect((await call(one, 'DELETE', '/v2/groups')).statusCode).toBe(200);
    await one.run();
    expect(await appIds(one)).toEqual([]);
  });
});
