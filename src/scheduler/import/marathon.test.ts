import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { appSchema } from '../domain/app-schema.ts';
import { readDefinition } from '../domain/definition.ts';
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
function remarks(app: Record<string, unknown>, of: 'problems' | 'unsupported' | 'warnings'): string[] {
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
    { id: '/disk', cmd: 'x', container: { volumes: [{ containerPath: 'd', persistent: { size: 0 } }] } },
  ]);
  expect(problems.map(({ id, field }) => `${id} ${field}`)).toEqual([
    '/Up id',
    '/Up cpus',
    '/twice id',
    '/check healthChecks[1].protocol',
    '/disk container.volumes[0].persistent.size',
  ]);
});

it('leaves out and reports refused fields, also of apps with problems, and lists those without effect', () => {
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
    "container.docker.pullConfig is not supported, since there are no secrets: put the registry's credentials into registries of /etc/mesosup/executor.json on the agents, or fetch a docker.tar.gz",
    'container.portMappings[0].networkNames are not supported: ports are mapped in all networks of the container',
    'env.PW.secret is not supported: set the value of the variable',
    'healthChecks[0].ipProtocol must be IPv4: checks with IPv6 are not supported',
    'networks[0].labels are not supported',
    'secrets are not supported: put the value into env, or fetch a file',
    'tty is not supported: use docker.parameters with the key tty',
  ]);
  expect(remarks(app, 'problems')).toEqual(['cpus must be at least 0.001']);
  const { apps } = read([{ id: '/x', cmd: 'sleep 1', ...app, cpus: 1 }]);
  expect(readDefinition(apps[0])).toMatchObject({ definition: { env: { A: 'b' } } });
  expect(remarks({ ...app, cpus: 1 }, 'warnings')).toEqual([
    'residency has no effect, as in Marathon',
    'somethingNew is not a known field, and has no effect',
  ]);
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
  expect(remarks(old, 'warnings')).toEqual(['ipAddress.groups has no effect, as in Marathon']);
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
