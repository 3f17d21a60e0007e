import { expect, it } from 'vitest';
import type { AppJson } from '../../scheduler/api/v2/app-schemas.ts';
import { appsAfter, deploymentsEnded, withApp, withApps, withCounts } from './apps.ts';
import { liveEvent } from './events.ts';

function app(id: string, tasksRunning: number): AppJson {
  return {
    id,
    instances: 1,
    labels: {},
    healthChecks: [],
    version: '1',
    tasksRunning,
    tasks: [],
  } as unknown as AppJson;
}

it('keeps the objects of unchanged apps, and the map if nothing has changed', () => {
  const before = withApps(new Map(), [app('/a', 1), app('/b', 1)]);
  expect(withApps(before, [app('/a', 1), app('/b', 1)])).toBe(before);
  const after = withApps(before, [app('/a', 1), app('/b', 2)]);
  expect(after.get('/a')).toBe(before.get('/a'));
  expect(after.get('/b')).toMatchObject({ tasksRunning: 2 });
  expect([...withApps(after, [app('/b', 2)]).keys()]).toEqual(['/b']);
});

it('updates the counts of known apps, and asks for the definition of a new app or version', () => {
  const before = withApps(new Map(), [app('/a', 1), app('/b', 1)]);
  const after = withCounts(before, [
    { id: '/a', version: '1', tasksRunning: 1 },
    { id: '/b', version: '1', tasksRunning: 0 },
  ]);
  expect(after?.get('/a')).toBe(before.get('/a'));
  expect(after?.get('/b')).toMatchObject({ instances: 1, tasksRunning: 0 });
  expect(withCounts(before, [{ id: '/a', version: '2' }])).toBeUndefined();
  expect(withCounts(before, [{ id: '/c', version: '1' }])).toBeUndefined();
});

it('adds a single app in the order of ids, without what the list does not show', () => {
  const before = withApps(new Map(), [app('/a', 1), app('/c', 1)]);
  const after = withApp(before, app('/b', 1));
  expect([...after.keys()]).toEqual(['/a', '/b', '/c']);
  expect(after.get('/b')).not.toHaveProperty('tasks');
  expect(withApp(after, app('/b', 1))).toBe(after);
});

it('removes an app, and keeps the map if there was none', () => {
  const before = withApps(new Map(), [app('/a', 1)]);
  expect(appsAfter(before, ['/b'])).toBe(before);
  expect(appsAfter(before, ['/a']).size).toBe(0);
});

it('remembers how deployments ended, the last one first', () => {
  const plan = { steps: [{ actions: [{ action: 'StartApplication', app: '/a' }] }] };
  const first = deploymentsEnded([], liveEvent('deployment_success', '1', { id: 'x', timestamp: 't', plan }));
  const both = deploymentsEnded(
    first,
    liveEvent('deployment_failed', '2', { id: 'y', timestamp: 't', reason: 'late', plan }),
  );
  expect(both).toEqual([
    { id: 'y', at: 't', reason: 'late', apps: ['/a'] },
    { id: 'x', at: 't', apps: ['/a'] },
  ]);
});
