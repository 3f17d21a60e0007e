import { expect, it } from 'vitest';
import type { ShownApp } from './apps.ts';
import { barOf, countsOf, type Filter, groupIds, matchesFilter, rowsOf } from './tree.ts';

const ALL: Filter = { text: '', label: '', status: '', health: '' };

function app(id: string, more: Partial<ShownApp> = {}): ShownApp {
  return {
    id,
    instances: 1,
    cpus: 0.1,
    mem: 32,
    cmd: 'sleep 1',
    healthChecks: [],
    labels: {},
    version: '2026-01-01T00:00:00.000Z',
    tasksRunning: 1,
    ...more,
  };
}

function mapOf(...apps: ShownApp[]): ReadonlyMap<string, ShownApp> {
  return new Map(apps.map((one) => [one.id, one]));
}

it('lists groups before apps, with the sums of all apps in them', () => {
  const apps = mapOf(app('/z'), app('/a/b/c', { instances: 3 }), app('/a/d', { tasksRunning: 0 }));
  const rows = rowsOf(apps, ALL, 'name', new Set());
  expect(rows.map(({ kind, id, depth }) => [kind, id, depth])).toEqual([
    ['group', '/a', 0],
    ['group', '/a/b', 1],
    ['app', '/a/b/c', 2],
    ['app', '/a/d', 1],
    ['app', '/z', 0],
  ]);
  expect(rows[0]).toMatchObject({ counts: { apps: 2, instances: 4, running: 1 }, isOpen: true });
});

it('hides the content of closed groups, and keeps their sums', () => {
  const rows = rowsOf(mapOf(app('/a/b/c'), app('/a/d')), ALL, 'name', new Set(['/a']));
  expect(rows.map(({ id }) => id)).toEqual(['/a']);
  expect(rows[0]).toMatchObject({ counts: { apps: 2 }, isOpen: false });
});

it('shows empty groups, unless a filter is set', () => {
  const empty = { version: '', dependencies: [], apps: [], groups: [], pods: [] } as const;
  const root = {
    groups: [
      { ...empty, id: '/a', groups: [{ ...empty, id: '/a/b' }] },
      { ...empty, id: '/c' },
    ],
  };
  const groups = groupIds(root);
  expect(groups).toEqual(['/a', '/a/b', '/c']);
  const rows = rowsOf(mapOf(app('/a/d')), ALL, 'name', new Set(), groups);
  expect(rows.map(({ id }) => id)).toEqual(['/a', '/a/b', '/a/d', '/c']);
  expect(rows[3]).toMatchObject({ kind: 'group', counts: { apps: 0, instances: 0 } });
  const found = rowsOf(mapOf(app('/a/d')), { ...ALL, text: 'd' }, 'name', new Set(), groups);
  expect(found.map(({ id }) => id)).toEqual(['/a', '/a/d']);
});

it('filters by words in id or program, label, status and health', () => {
  const check = { protocol: 'TCP' } as unknown as ShownApp['healthChecks'][number];
  const web = app('/prod/web', { labels: { team: 'Red' }, healthChecks: [check], tasksUnhealthy: 1 });
  const matches = (filter: Partial<Filter>) => matchesFilter(web, { ...ALL, ...filter });
  expect(matches({ text: 'WEB sleep' })).toBe(true);
  expect(matches({ text: 'web python' })).toBe(false);
  expect([
    matches({ label: 'team' }),
    matches({ label: 'team=red' }),
    matches({ label: 'team=blue' }),
    matches({ label: 'constructor=x' }),
  ]).toEqual([true, true, false, false]);
  expect([matches({ status: 'unhealthy' }), matches({ status: 'running' })]).toEqual([true, false]);
  expect([matches({ health: 'unhealthy' }), matches({ health: 'none' })]).toEqual([true, false]);
});

it('sorts by status with what needs attention first', () => {
  const apps = mapOf(app('/a'), app('/b', { tasksRunning: 0 }), app('/c', { instances: 0, tasksRunning: 0 }));
  expect(rowsOf(apps, ALL, 'status', new Set()).map(({ id }) => id)).toEqual(['/b', '/a', '/c']);
});

it('divides a bar into healthy, running, unhealthy, starting and missing instances', () => {
  const counts = countsOf(
    app('/a', { instances: 9, tasksRunning: 5, tasksHealthy: 2, tasksUnhealthy: 1, tasksStaged: 1 }),
  );
  expect(barOf(counts).map(({ kind, count }) => `${count} ${kind}`)).toEqual([
    '2 healthy',
    '2 running',
    '1 unhealthy',
    '1 staged',
    '3 missing',
  ]);
});
