import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { appSchema } from '../domain/app-schema.ts';
import { type MarathonApps, readMarathon } from './marathon.ts';

/** An answer to `GET /v2/groups` in the format of Marathon 1.11, according to its RAML. */
const GROUPS = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/marathon/groups.json', import.meta.url), 'utf8'),
);

function read(answer: unknown): MarathonApps {
  const found = readMarathon(answer);
  if (!found) throw new TypeError('not read');
  return found;
}

/** The remarks on an app, one line each. */
function remarks(app: Record<string, unknown>, of: 'problems' | 'unsupported'): string[] {
  return read([{ id: '/x', cmd: 'sleep 1', ...app }])[of].map(({ field, why }) => `${field} ${why}`);
}

it('reads all apps of a tree without problems, leaving out the fields that Marathon adds', () => {
  const { apps, problems, unsupported } = read(GROUPS);
  expect([problems, unsupported]).toEqual([[], []]);
  expect(apps.map(({ id }) => id)).toEqual([
    '/sleeper',
    '/shop/db/main',
    '/shop/web/front',
    '/shop/web/image',
  ]);
  const added = ['version', 'versionInfo', 'tasksRunning', 'tasksStaged', 'tasksHealthy', 'deployments'];
  for (const app of apps) for (const name of added) expect(app).not.toHaveProperty(name);
  expect(appSchema.parse(apps[3])).toMatchObject({
    id: '/shop/web/image',
    container: {
      docker: { image: 'nginx:1.27' },
      volumes: [{ hostPath: '/srv/www', mode: 'RO' }],
      portMappings: [{ containerPort: 80, servicePort: 10_101, name: 'http' }],
    },
    networks: [{ mode: 'container/bridge' }],
    unreachableStrategy: { inactiveAfterSeconds: 0 },
  });
});

it('copies the dependencies of groups to their apps', () => {
  const tree = {
    id: '/',
    groups: [
      { id: 'db', apps: [{ id: 'main', cmd: 'x' }] },
      {
        id: '/web',
        dependencies: ['/db', '../cache'],
        apps: [{ id: 'front', cmd: 'x', dependencies: ['back', '/db'] }],
        groups: [{ id: 'deep', dependencies: ['/web/front'], apps: [{ id: '/web/deep/a', cmd: 'x' }] }],
      },
    ],
  };
  const { apps, problems } = read(tree);
  expect(problems).toEqual([]);
  expect(apps.map(({ id, dependencies }) => [id, dependencies])).toEqual([
    ['/db/main', undefined],
    ['/web/front', ['/web/back', '/db', '/cache']],
    ['/web/deep/a', ['/db', '/cache', '/web/front']],
  ]);
});

it('accepts the answer of /v2/apps and a list, but nothing else', () => {
  const apps = [{ id: 'x', cmd: 'sleep 1', tasksRunning: 1 }];
  const wanted = { apps: [{ id: '/x', cmd: 'sleep 1' }], problems: [], unsupported: [] };
  expect(readMarathon({ apps })).toMatchObject(wanted);
  expect(readMarathon(apps)).toMatchObject(wanted);
  for (const other of [null, 'x', 7, {}, { apps: {} }, { message: 'no' }])
    expect(readMarathon(other)).toBeUndefined();
});

it('reports all problems of all apps with their fields', () => {
  const { problems } = read([
    { id: '/Up', cmd: 'x', cpus: -1 },
    { id: '/twice', cmd: 'x' },
    { id: '/twice', cmd: 'x' },
    { id: '/check', cmd: 'x', healthChecks: [{ protocol: 'HTTP' }, { protocol: 'SMTP', path: 'x' }] },
    { id: '/disk', cmd: 'x', container: { volumes: [{ containerPath: 'd', persistent: { size: 9 } }] } },
  ]);
  expect(problems.map(({ id, field }) => `${id} ${field}`)).toEqual([
    '/Up id',
    '/Up cpus',
    '/twice id',
    '/check healthChecks[1].protocol',
    '/check healthChecks[1].path',
    '/disk container.volumes[0].persistent',
  ]);
  expect(problems.at(-1)?.why).toContain('there are no persistent volumes');
});

it('reports the fields that would be lost, also for apps with problems', () => {
  const app = {
    cpus: -1,
    secrets: { pw: { source: '/db/pw' } },
    env: { PW: { secret: 'pw' }, A: 'b' },
    residency: { taskLostBehavior: 'WAIT_FOREVER' },
    networks: [{ mode: 'container', name: 'dcos', labels: { a: 'b' } }],
    container: {
      type: 'DOCKER',
      docker: { image: 'x', pullConfig: { secret: 'login' } },
      portMappings: [{ containerPort: 80, networkNames: ['dcos'] }],
    },
    healthChecks: [{ protocol: 'MESOS_TCP', ipProtocol: 'IPv6' }],
    tty: true,
    somethingNew: 1,
  };
  expect(remarks(app, 'unsupported').sort()).toEqual([
    'container.docker.pullConfig takes the credentials from a secret, which is not supported: put them into registries of /etc/mesosup/executor.json on the agents',
    'container.portMappings[0].networkNames is ignored: ports are mapped in all networks of the container',
    'env.PW takes its value from a secret, which is not supported: set the value',
    'healthChecks[0].ipProtocol is ignored: checks use IPv4',
    'networks[0].labels are not supported',
    'residency is not supported: there are no persistent volumes',
    'secrets are not supported: put the value into env, or fetch a file',
    'somethingNew is not a known field',
    'tty is not supported',
  ]);
  expect(remarks(app, 'problems')).toEqual(['cpus must be at least 0.001']);
});

it('ignores empty fields, and accepts old field names', () => {
  const app = {
    secrets: {},
    residency: null,
    tty: false,
    networks: [{ mode: 'host', labels: {} }],
    healthChecks: [{ protocol: 'MESOS_TCP', ipProtocol: 'IPv4' }],
    uris: ['http://x/y.tgz'],
    ports: [10_005],
  };
  expect([remarks(app, 'problems'), remarks(app, 'unsupported')]).toEqual([[], []]);
  const old = { ipAddress: { networkName: 'n', groups: ['a'], labels: {}, discovery: { ports: [] } } };
  expect(remarks(old, 'unsupported')).toEqual([
    'ipAddress.groups is not supported: only networkName is used',
  ]);
});

it('reports pods and roles of groups', () => {
  const { unsupported } = read({
    id: '/',
    apps: [],
    groups: [{ id: 'g', enforceRole: true, apps: [], pods: [{ id: '/g/pod', containers: [] }] }],
  });
  expect(unsupported.map(({ id, field }) => [id, field])).toEqual([
    ['/g/pod', 'pods'],
    ['/g', 'enforceRole'],
  ]);
});
