/** What groups may contain, and how all faults of a request are reported. */

import { describe, expect, it } from 'vitest';
import { call, get, type Server, server } from '../../../../test/scheduler/api-server.ts';

const SLEEPER = { cmd: 'sleep 1000', cpus: 0.1, mem: 16 };

async function refused(one: Server, method: 'POST' | 'PUT', url: string, body: object) {
  const before = (await get(one, '/v2/groups')).body;
  const answer = await call(one, method, url, body);
  expect(answer.statusCode).toBe(422);
  expect((await get(one, '/v2/groups')).body).toBe(before);
  return (answer.json().details as { path: string; errors: string[] }[]).map(({ path, errors }) => [
    path,
    ...errors,
  ]);
}

async function having(...apps: string[]): Promise<Server> {
  const one = server();
  for (const id of apps)
    expect((await call(one, 'POST', '/v2/apps', { ...SLEEPER, id })).statusCode).toBe(201);
  return one;
}

describe('a group', () => {
  const within = (error: string) => `is ${error}, which is not directly in the group /a`;

  it.each([
    [{ apps: [{ ...SLEEPER, id: '/b/x' }] }, '/apps(0)/id', within('/b/x')],
    [{ apps: [{ ...SLEEPER, id: '../x' }] }, '/apps(0)/id', within('/x')],
    [{ apps: [{ ...SLEEPER, id: 'b/x' }] }, '/apps(0)/id', within('/a/b/x')],
    [{ groups: [{ id: '/b' }] }, '/groups(0)/id', within('/b')],
    [{ groups: [{ id: 'b/c' }] }, '/groups(0)/id', within('/a/b/c')],
    [{ groups: [{ apps: [] }] }, '/groups(0)/id', within('/a')],
    [{ groups: [{ id: 'b' }, { id: '/a/b' }] }, '/groups(1)/id', 'is /a/b, which the list has already'],
    [
      {
        apps: [
          { ...SLEEPER, id: 'x' },
          { ...SLEEPER, id: '/a/x' },
        ],
      },
      '/apps(1)/id',
      'is /a/x, which the list has already',
    ],
  ])('refuses a member that lies elsewhere or is named twice: %j', async (members, path, error) => {
    for (const [method, url] of [
      ['POST', '/v2/groups'],
      ['PUT', '/v2/groups/a'],
    ] as const) {
      expect(await refused(server(), method, url, { id: '/a', ...members })).toEqual([[path, error]]);
    }
  });

  it('is refused if it lies outside of the group in the path', async () => {
    expect(await refused(server(), 'POST', '/v2/groups/a', { id: '/b' })).toEqual([
      ['/id', 'is /b, which is not in /a, the group in the path'],
    ]);
  });

  it('may not depend on itself, on its members or on its parents', async () => {
    for (const other of ['/a/b', '/a/b/x', '/a']) {
      const body = { id: '/a', groups: [{ id: 'b', dependencies: ['/c', other] }] };
      expect(await refused(server(), 'POST', '/v2/groups', body)).toEqual([
        ['/groups(0)/dependencies(1)', `is ${other}, so apps of the group would depend on themselves`],
      ]);
    }
  });
});

describe('an id', () => {
  it('of a group is refused for an app', async () => {
    const one = await having('/a/b/x');
    for (const id of ['/a', '/a/b']) {
      expect(await refused(one, 'POST', '/v2/apps', { ...SLEEPER, id })).toEqual([
        ['/id', `is ${id}, which is a group`],
      ]);
      expect(await refused(one, 'PUT', `/v2/apps${id}`, SLEEPER)).toEqual([
        ['/id', `is ${id}, which is a group`],
      ]);
    }
    await call(one, 'POST', '/v2/groups', { id: '/empty' });
    expect(await refused(one, 'POST', '/v2/apps', { ...SLEEPER, id: '/empty' })).toEqual([
      ['/id', 'is /empty, which is a group'],
    ]);
  });

  it('of an app is refused for a group, also for a group that is only part of an id', async () => {
    const one = await having('/a');
    expect(await refused(one, 'POST', '/v2/apps', { ...SLEEPER, id: '/a/b/x' })).toEqual([
      ['/id', 'is in /a, which is an app and not a group'],
    ]);
    expect(await refused(one, 'POST', '/v2/groups', { id: '/a/b' })).toEqual([
      ['/id', 'is in /a, which is an app and not a group'],
    ]);
    const both = { id: '/c', apps: [{ ...SLEEPER, id: 'x' }], groups: [{ id: 'x' }] };
    expect(await refused(one, 'POST', '/v2/groups', both)).toEqual([
      ['/groups(0)/id', 'is /c/x, which is an app'],
    ]);
  });

  it('of a removed group is free for an app, in the same request too', async () => {
    const one = await having('/a/b/x');
    const apps = [{ ...SLEEPER, id: 'b' }];
    const answer = await call(one, 'PUT', '/v2/groups/a?force=true', { apps, groups: [] });
    expect(answer.statusCode).toBe(200);
    await one.run();
    expect((await get(one, '/v2/apps/a/b')).statusCode).toBe(200);
    expect((await get(one, '/v2/apps/a/b/x')).statusCode).toBe(404);
    await call(one, 'DELETE', '/v2/groups/a?force=true');
    await one.run();
    expect((await call(one, 'POST', '/v2/apps', { ...SLEEPER, id: '/a' })).statusCode).toBe(201);
  });
});

describe('an app', () => {
  it.each([
    ['/a/x', 'is the app itself'],
    ['x', 'is the app itself'],
    ['/a', 'is /a, the group of the app itself'],
  ])('may not depend on %s', async (dependency, error) => {
    const one = server();
    const app = { ...SLEEPER, id: '/a/x', dependencies: ['/db', dependency] };
    const found = [['/dependencies(1)', error]];
    expect(await refused(one, 'POST', '/v2/apps', app)).toEqual(found);
    expect(await refused(one, 'PUT', '/v2/apps/a/x', app)).toEqual(found);
    expect(await refused(one, 'PUT', '/v2/apps', [app])).toEqual([[`(0)${found[0]?.[0]}`, error]]);
  });
});

describe('the faults of a request', () => {
  it('are all reported for a group, each with its path', async () => {
    const body = {
      id: '/shop',
      dependencies: ['/shop'],
      apps: [{ ...SLEEPER, id: 'ok' }, { id: 'nothing' }],
      groups: [
        {
          id: 'front',
          apps: [
            { ...SLEEPER, id: 'a', cpus: 'many', mem: -1 },
            { ...SLEEPER, id: 'b' },
            { ...SLEEPER, id: 'c', cpus: -1 },
          ],
        },
        { id: '/elsewhere' },
      ],
    };
    const found = await refused(server(), 'POST', '/v2/groups', body);
    expect(found.map(([path]) => path)).toEqual([
      '/groups(0)/apps(0)/cpus',
      '/groups(0)/apps(0)/mem',
      '/groups(0)/apps(2)/cpus',
      '/groups(1)/id',
      '/dependencies(0)',
      '/apps(1)/cmd',
    ]);
  });

  it('are all reported for a list of apps', async () => {
    const one = await having('/x', '/y');
    const list = [
      { id: '/x', cpus: 'many' },
      { id: '/y', mem: 32 },
      { id: '/z', mem: -1 },
    ];
    const answer = await call(one, 'PUT', '/v2/apps', list);
    expect(answer.json().details.map(({ path }: { path: string }) => path)).toEqual(['(0)/cpus', '(2)/mem']);
  });

  it('are counted where there are too many to list', async () => {
    const apps = Array.from({ length: 130 }, (_, i) => ({ ...SLEEPER, id: `x${i}`, cpus: -1 }));
    const found = await refused(server(), 'POST', '/v2/groups', { id: '/a', apps });
    expect(found.length).toBe(101);
    expect(found.at(-1)).toEqual(['/', '30 more errors are not listed']);
  });
});
