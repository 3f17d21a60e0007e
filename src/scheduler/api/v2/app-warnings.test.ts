/** Warnings about fields without effect, as the API and the log show them. */

import { expect, it } from 'vitest';
import { call, get, SLEEPER, server, withApp } from '../../../../test/scheduler/api-server.ts';
import { noticeFor } from '../../notices.ts';

const IGNORED = { path: '/instanzes', message: 'is not a known field, and has no effect' };

async function warningsOf(one: ReturnType<typeof server>): Promise<unknown> {
  return (await get(one, '/v2/apps/sleeper?embed=app.warnings')).json().app.warnings;
}

it('are shown with embed=app.warnings only, and kept with the app', async () => {
  const one = server();
  const made = await call(one, 'POST', '/v2/apps', { ...SLEEPER, instanzes: 2 });
  expect([made.statusCode, made.json()]).toEqual([201, expect.not.objectContaining({ warnings: [] })]);
  expect((await get(one, '/v2/apps/sleeper')).json().app).not.toHaveProperty('warnings');
  expect(await warningsOf(one)).toEqual([IGNORED]);
  const listed = (await get(one, '/v2/apps?embed=apps.warnings')).json().apps;
  expect(listed).toMatchObject([{ warnings: [IGNORED] }]);
});

it('are empty for a definition that is honoured completely', async () => {
  expect(await warningsOf(await withApp())).toEqual([]);
});

it('stay after a change of other fields, and go with the field or with the definition', async () => {
  const one = await withApp();
  await call(one, 'PUT', '/v2/apps/sleeper', { instanzes: 2, labels: { a: 'b' } });
  await call(one, 'PATCH', '/v2/apps/sleeper?force=true', { instances: 2 });
  expect(await warningsOf(one)).toEqual([IGNORED]);
  await call(one, 'PATCH', '/v2/apps/sleeper?force=true', { instanzes: null, labels: {} });
  expect(await warningsOf(one)).toEqual([]);
  await call(one, 'PUT', '/v2/apps/sleeper?force=true', { instanzes: 2 });
  expect(await warningsOf(one)).toEqual([IGNORED]);
  await call(one, 'PUT', '/v2/apps/sleeper?force=true&partialUpdate=false', SLEEPER);
  expect(await warningsOf(one)).toEqual([]);
});

it('are shown for the apps of a group', async () => {
  const one = server();
  await call(one, 'PUT', '/v2/groups', { id: '/', apps: [{ ...SLEEPER, instanzes: 2 }] });
  expect(await warningsOf(one)).toEqual([IGNORED]);
});

it('are in the log, with their paths', async () => {
  const one = server();
  await call(one, 'POST', '/v2/apps', { ...SLEEPER, instanzes: 2 });
  const event = one.disk.find(({ type }) => type === 'app_changed');
  if (!event) throw new Error('no app was stored');
  expect(await one.runner.read((state) => noticeFor(state, event))).toMatchObject({
    level: 'warn',
    text: 'app changed, without a part of its definition',
    fields: { app: '/sleeper', ignored: ['/instanzes is not a known field, and has no effect'] },
  });
});
