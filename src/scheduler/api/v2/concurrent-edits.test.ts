import { expect, it } from 'vitest';
import { account, asUser } from '../../../../test/scheduler/accounts.ts';
import { appOf, call, SLEEPER, server, withApp } from '../../../../test/scheduler/api-server.ts';

const ACCOUNTS = [account('olga', 'operator', 'o'), account('oskar', 'operator', 'x')];
const OLGA = asUser('olga', 'o');
const OSKAR = asUser('oskar', 'x');

it('tells the second of two people who edit the same app who changed it, and when', async () => {
  const one = server({ accounts: ACCOUNTS });
  await call(one, 'POST', '/v2/apps', SLEEPER, OLGA);
  await one.run();
  const version = async () =>
    (await call(one, 'GET', '/v2/apps/sleeper', undefined, OLGA)).json().app.version;
  const before = await version();
  const url = `/v2/apps/sleeper?ifVersion=${before}`;
  expect((await call(one, 'PUT', url, { mem: 17 }, OLGA)).statusCode).toBe(200);
  const now = await version();
  for (const [method, to, body] of [
    ['PUT', url, { mem: 18 }],
    ['PUT', `${url}&force=true&dryRun=true`, { mem: 18 }],
    ['PATCH', `${url}&force=true`, { mem: 18 }],
    ['PUT', url, { version: before }],
    ['DELETE', url, undefined],
    ['POST', url.replace('?', '/restart?'), undefined],
  ] as const) {
    const refused = await call(one, method, to, body, OSKAR);
    expect([refused.statusCode, refused.json()]).toEqual([
      412,
      {
        message: `App '/sleeper' was changed by olga at 2023-11-14T22:13:20.000Z; its version is ${now} now`,
        version: now,
        changedAt: '2023-11-14T22:13:20.000Z',
        changedBy: 'olga',
      },
    ]);
  }
  const again = `/v2/apps/sleeper?ifVersion=${now}&force=true`;
  expect((await call(one, 'PUT', again, { mem: 18 }, OSKAR)).statusCode).toBe(200);
});

it('does not bring back an app that was removed meanwhile', async () => {
  const one = await withApp();
  const { version } = await appOf(one);
  await call(one, 'DELETE', '/v2/apps/sleeper');
  const answer = await call(one, 'PUT', `/v2/apps/sleeper?ifVersion=${version}`, { cmd: 'x' });
  expect([answer.statusCode, answer.json()]).toEqual([404, { message: "App '/sleeper' does not exist" }]);
});

it('names nobody if the change was made without a user, by a rollback, or before the scheduler started', async () => {
  const one = await withApp();
  const { version } = await appOf(one);
  await call(one, 'PUT', '/v2/apps/sleeper', { mem: 17 });
  const refused = (await call(one, 'PUT', `/v2/apps/sleeper?ifVersion=${version}`, { mem: 18 })).json();
  expect(refused.message).toMatch(/^App '\/sleeper' was changed at /);
  expect(refused).not.toHaveProperty('changedBy');
});

it('refuses a version for a change of several apps or of a new one', async () => {
  const one = await withApp();
  for (const [method, url, body] of [
    ['POST', '/v2/apps?ifVersion=x', { ...SLEEPER, id: '/y' }],
    [
      'PUT',
      '/v2/apps?ifVersion=x',
      [
        { id: '/a', cmd: 'x' },
        { id: '/b', cmd: 'x' },
      ],
    ],
    ['PUT', '/v2/groups/g?ifVersion=x', { apps: [] }],
  ] as const) {
    const answer = await call(one, method, url, body);
    expect([answer.statusCode, answer.json().details]).toEqual([
      422,
      [{ path: '/ifVersion', errors: ['is possible for a change of one existing app only'] }],
    ]);
  }
});

it('shows with dryRun what would change, with warnings, and changes nothing', async () => {
  const one = server();
  const body = { ...SLEEPER, instances: '2', unknown: 1 };
  const draft = await call(one, 'POST', '/v2/apps?dryRun=true&embed=draft', body);
  expect(draft.statusCode).toBe(200);
  expect(draft.json()).toMatchObject({
    steps: [{ actions: [{ action: 'StartApplication', app: '/sleeper' }] }],
    apps: [{ id: '/sleeper', instances: 2, killSelection: 'YOUNGEST_FIRST' }],
    warnings: expect.arrayContaining([{ app: '/sleeper', path: '/unknown', message: expect.any(String) }]),
  });
  expect((await call(one, 'GET', '/v2/apps')).json()).toEqual({ apps: [] });
  await call(one, 'POST', '/v2/apps', SLEEPER);
  const edit = await call(one, 'PUT', '/v2/apps/sleeper?dryRun=true&embed=draft&force=true', { mem: 99 });
  expect(edit.json()).toMatchObject({
    steps: [{ actions: [{ action: 'RestartApplication', app: '/sleeper' }] }],
    apps: [{ id: '/sleeper', mem: 99, cmd: 'sleep 1000' }],
    warnings: [],
  });
  const same = await call(one, 'PUT', '/v2/apps/sleeper?dryRun=true&embed=draft&force=true', { mem: 16 });
  expect(same.json()).toEqual({ steps: [], apps: [], warnings: [] });
});
