import { expect, it } from 'vitest';
import type { AppJson } from '../scheduler/api/v2/app-schemas.ts';
import {
  canaryInstances,
  canaryProblem,
  changedCanary,
  instancesToCome,
  isOutdated,
  isPromoted,
  newCanary,
  promoted,
} from './canary.ts';
import { canaryOf, sharedLabels } from './canary-labels.ts';

const VERSION = '2026-01-01T00:00:00.000Z';

/** As the scheduler shows it. */
function app(more: object = {}) {
  return {
    id: '/shop/web',
    instances: 4,
    cpus: 0.1,
    args: ['serve'],
    env: { A: '1' },
    labels: { HAPROXY_0_VHOST: 'shop.example' } as Record<string, string>,
    container: {
      type: 'DOCKER',
      docker: { image: 'web:1' },
      portMappings: [{ containerPort: 80, servicePort: 10_001 }],
    },
    portDefinitions: [],
    version: VERSION,
    versionInfo: { lastConfigChangeAt: VERSION },
    tasksRunning: 4,
    ...more,
  };
}

const CHANGES = { image: 'web:2', env: { B: '2' } };

/** The canary as the scheduler shows it after its creation. */
function canaryApp(changes: object = CHANGES, share = 10) {
  const made = newCanary(app(), app(), { env: {}, ...changes }, { instances: 1, share });
  const container = {
    type: 'DOCKER',
    docker: { image: 'web:2' },
    portMappings: [{ containerPort: 80, servicePort: 10_777 }],
  };
  return { ...app(), ...made, container, versionInfo: { lastConfigChangeAt: '2026-02-02T00:00:00.000Z' } };
}

it('is the app with its changes, another service port, and labels with its state', () => {
  const made = newCanary(app(), app(), { env: { B: '2' }, image: 'web:2' }, { instances: 2, share: 0 });
  expect(made).toEqual({
    id: '/shop/web-canary',
    instances: 2,
    cpus: 0.1,
    args: ['serve'],
    env: { A: '1', B: '2' },
    container: {
      type: 'DOCKER',
      docker: { image: 'web:2' },
      portMappings: [{ containerPort: 80, servicePort: 0 }],
    },
    portDefinitions: [],
    labels: {
      HAPROXY_0_VHOST: 'shop.example',
      HAPROXY_DEPLOYMENT_GROUP: 'web',
      HAPROXY_DEPLOYMENT_SHARE: '0',
      MESOSUP_CANARY_BASE: VERSION,
    },
  });
  expect(canaryOf(canaryApp())).toEqual({ appId: '/shop/web', share: 10 });
  expect(canaryOf(app())).toBeUndefined();
  expect(canaryOf(app({ id: '/shop/web-canary' }))).toBeUndefined();
});

it('replaces arguments by a command, and port definitions only if they are service ports', () => {
  const host = app({ container: undefined, portDefinitions: [{ port: 10_001, name: 'http' }] });
  const number = { instances: 1, share: 0 };
  const made = newCanary(host, host, { env: {}, cmd: 'serve 2', cpus: 1, mem: 2 }, number);
  expect(made).toMatchObject({
    cmd: 'serve 2',
    cpus: 1,
    mem: 2,
    portDefinitions: [{ port: 0, name: 'http' }],
  });
  expect(made).not.toHaveProperty('args');
  const fixed = { ...host, requirePorts: true };
  expect(newCanary(fixed, fixed, { env: {} }, number)).toMatchObject({ portDefinitions: [{ port: 10_001 }] });
});

it('gives the app its definition, with the instances, service ports and labels of the app', () => {
  const after = promoted(app(), canaryApp());
  expect(after).toMatchObject({
    id: '/shop/web',
    instances: 4,
    labels: { HAPROXY_0_VHOST: 'shop.example' },
    env: { A: '1', B: '2' },
    container: { docker: { image: 'web:2' }, portMappings: [{ servicePort: 10_001 }] },
  });
  expect(after).not.toHaveProperty('tasksRunning');
  expect(isPromoted(app(), canaryApp())).toBe(false);
  expect(isPromoted({ ...app(), ...after }, canaryApp())).toBe(true);
  expect(isPromoted({ ...app(), ...after, instances: 9 }, canaryApp())).toBe(true);
});

it('gives ports the service ports of the same names, also in another order', () => {
  const mappings = (...ports: readonly [name: string, servicePort: number][]) => ({
    container: { portMappings: ports.map(([name, servicePort]) => ({ name, servicePort })) },
  });
  const web = app(mappings(['http', 10_001], ['admin', 10_002]));
  const canary = { ...canaryApp(), ...mappings(['new', 10_777], ['http', 10_778], ['admin', 10_779]) };
  const after = promoted(web, canary);
  expect(after).toMatchObject(mappings(['new', 0], ['http', 10_001], ['admin', 10_002]));
  const assigned = { ...web, ...after, ...mappings(['new', 10_003], ['http', 10_001], ['admin', 10_002]) };
  expect(isPromoted(assigned, canary)).toBe(true);
  const file = app(mappings(['admin', 0], ['http', 0]));
  expect(changedCanary(canary, file, { env: {} })).toMatchObject(
    mappings(['admin', 10_779], ['http', 10_778]),
  );
  const definitions = (...ports: readonly [name: string, port: number][]) => ({
    portDefinitions: ports.map(([name, port]) => ({ name, port })),
  });
  const host = app({ container: undefined, ...definitions(['http', 10_001], ['admin', 10_002]) });
  const other = { ...canaryApp(), container: undefined, ...definitions(['admin', 10_777], ['x', 10_778]) };
  expect(promoted(host, other)).toMatchObject(definitions(['admin', 10_002], ['x', 0]));
});

it('has all its instances when they run with the latest definition, and are healthy if that is checked', () => {
  const stats = (running: number, healthy: number) => ({
    stats: { counts: { staged: 0, running, healthy, unhealthy: 0 } },
  });
  const taskStats = {
    startedAfterLastScaling: stats(4, 4),
    withLatestConfig: stats(3, 2),
    withOutdatedConfig: stats(1, 1),
    totalSummary: stats(4, 3),
  };
  expect(instancesToCome({ instances: 4, healthChecks: [], taskStats })).toBe(1);
  const check = { protocol: 'COMMAND', command: { value: 'true' } } as AppJson['healthChecks'][number];
  expect(instancesToCome({ instances: 4, healthChecks: [check], taskStats })).toBe(2);
  expect(instancesToCome({ instances: 2, healthChecks: [check], taskStats })).toBe(0);
  expect(instancesToCome({ instances: 1, healthChecks: [], taskStats: undefined })).toBe(1);
});

it('is outdated once the app has changed more than its instances', () => {
  expect(isOutdated(app({ version: 'later' }), canaryApp())).toBe(false);
  expect(isOutdated(app({ versionInfo: { lastConfigChangeAt: 'later' } }), canaryApp())).toBe(true);
});

it('keeps its labels, instances and ports when it is changed, also by a file', () => {
  const canary = canaryApp();
  const file = app({
    container: { docker: { image: 'web:3' }, portMappings: [{ containerPort: 80, servicePort: 0 }] },
    labels: { tier: 'new' },
  });
  const made = changedCanary(canary, file, { env: {}, mem: 5 }, 50);
  expect(made).toMatchObject({
    id: '/shop/web-canary',
    instances: 1,
    mem: 5,
    container: { docker: { image: 'web:3' }, portMappings: [{ servicePort: 10_777 }] },
  });
  expect(made.labels).toEqual({ tier: 'new', ...sharedLabels({ labels: own(canary.labels) }, 50) });
  expect(changedCanary(canary, undefined, { env: {} }).labels).toEqual(canary.labels);
});

function own({ HAPROXY_0_VHOST: _, ...rest }: Record<string, string>) {
  return rest;
}

it.each([
  [canaryApp(), 'is a canary itself'],
  [app({ labels: { HAPROXY_DEPLOYMENT_GROUP: 'x' } }), 'already has the label HAPROXY_DEPLOYMENT_GROUP'],
  [app({ mode: 'job' }), 'is a job, which serves no requests'],
  [
    app({ container: { volumes: [{ persistent: {} }], portMappings: [{}] } }),
    "has persistent volumes, which a second app can't share",
  ],
  [app({ container: undefined }), 'has no port, so no load balancer divides its requests'],
  [app(), undefined],
])('is refused for some apps', (one, problem) => {
  expect(canaryProblem(one)).toBe(problem);
});

it('has instances for its share, and at least one', () => {
  expect([0, 10, 50, 51, 100].map((share) => canaryInstances(4, share))).toEqual([1, 1, 2, 3, 4]);
});
