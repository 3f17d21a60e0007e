import { describe, expect, it } from 'vitest';
import type { AppJson, TaskJson } from '../scheduler/api/v2/app-schemas.ts';
import { appSchema } from '../scheduler/domain/app-schema.ts';
import { appsTable, endpointsOf, endpointsTable, type ListedApp, statusOf, tasksTable } from './app-rows.ts';
import { describeApp } from './describe-app.ts';
import { age } from './units.ts';

const NOW = Date.parse('2026-01-01T00:10:00.000Z');
const VERSION = '2026-01-01T00:00:00.000Z';

function app(fields: object, status: object = {}): AppJson {
  const defined = appSchema.parse({ id: '/web', cmd: 'serve', ...fields });
  const versionInfo = { lastScalingAt: VERSION, lastConfigChangeAt: VERSION };
  return { ...defined, mode: undefined, version: VERSION, versionInfo, ...status } as unknown as AppJson;
}

function task(fields: Partial<TaskJson>): TaskJson {
  return {
    id: 'web.instance-01a229d6-a3be-8000-8000-000100000000._app.1',
    appId: '/web',
    host: 'h1',
    ports: [31000, 31001],
    servicePorts: [10000, 10001],
    slaveId: 'S0',
    state: 'TASK_RUNNING',
    stagedAt: VERSION,
    version: VERSION,
    ipAddresses: [],
    localVolumes: [],
    ...fields,
  };
}

describe('appsTable', () => {
  const apps: ListedApp[] = [
    app({ instances: 3, healthChecks: [{ path: '/' }] }, { tasksRunning: 3, tasksHealthy: 2 }),
    app({ id: '/shop/cache', cmd: undefined, container: { docker: { image: 'example/cache:1' } } }),
  ];

  it('shows instances, health, resources and program', () => {
    expect(appsTable(apps, { width: 200, wide: false })).toBe(
      [
        'APP          STATUS   RUNNING  HEALTHY  CPUS      MEM  IMAGE OR COMMAND',
        '/web         running      3/3      2/3     1  128 MiB  serve',
        '/shop/cache  waiting      0/1        -     1  128 MiB  example/cache:1',
      ].join('\n'),
    );
  });

  it('fits 60 columns', () => {
    const lines = appsTable(apps, { width: 60, wide: false }).split('\n');
    expect(lines[2]).toBe('/shop/cache  waiting      0/1        -  example/cache:1');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
  });
});

it.each([
  [{ instances: 2 }, { tasksRunning: 2 }, 'running'],
  [{ instances: 2 }, { tasksRunning: 1 }, 'waiting'],
  [{ instances: 0 }, {}, 'suspended'],
  [{}, { tasksRunning: 1, tasksUnhealthy: 1 }, 'unhealthy'],
  [{}, { deployments: [{ id: 'd' }] }, 'deploying'],
  [{}, { mode: 'daemon', tasksRunning: 4 }, 'running'],
])('the status of %j with %j is %s', (fields, status, expected) => {
  expect(statusOf(app(fields, status))).toBe(expected);
});

it('lists the ports of running tasks that are not unhealthy', () => {
  const sick = [{ alive: false, consecutiveFailures: 1, instanceId: 'i', taskId: 't' }];
  const all = [
    task({}),
    task({ id: 'b', state: 'TASK_STAGING' }),
    task({ id: 'c', healthCheckResults: sick }),
  ];
  expect(endpointsOf(all).map(({ port, servicePort }) => [port, servicePort])).toEqual([
    [31000, 10000],
    [31001, 10001],
  ]);
  expect(endpointsTable(endpointsOf([task({ host: '::1' })]), { width: 60, wide: false })).toContain(
    '[::1]:31001',
  );
  expect(tasksTable(all, NOW, { width: 60, wide: false })).toContain('unhealthy');
});

it('describes an app without the values of its environment and without control sequences', () => {
  const text = describeApp(
    app(
      {
        instances: 2,
        env: { PASSWORD: 's3cret' },
        labels: { title: '\u001b]0;x\u0007' },
        container: { docker: { image: 'i' }, portMappings: [{ containerPort: 80, hostPort: 0 }] },
        networks: [{ mode: 'container/bridge' }],
      },
      { tasksRunning: 1, tasks: [task({})] },
    ),
    NOW,
    { width: 80, wide: false },
  );
  expect(text).toContain('Environment  PASSWORD\n');
  expect(text).not.toContain('s3cret');
  expect(text).toContain('Label        title=\\x1b]0;x\\x07');
  expect(text).toContain('Status       waiting: 1 of 2 running');
  expect(text).toMatch(/\nTASK +STATE/);
});

it.each([
  ['2026-01-01T00:09:55.000Z', '5s'],
  ['2026-01-01T00:05:00.000Z', '5m'],
  ['2025-12-31T20:00:00.000Z', '4h'],
  ['2025-12-20T00:00:00.000Z', '12d'],
  ['2026-01-01T00:11:00.000Z', '0s'],
])('the age of %s is %s', (since, text) => {
  expect(age(since, NOW)).toBe(text);
});
