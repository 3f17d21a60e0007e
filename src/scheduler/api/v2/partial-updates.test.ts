/** Updates that name only some of the fields that belong together. */

import { describe, expect, it } from 'vitest';
import { appOf, call, type Server, server } from '../../../../test/scheduler/api-server.ts';

const S = { cpus: 0.05, mem: 16 };
const MAPPING = { containerPort: 80, servicePort: 10_001 };
const BRIDGE = {
  ...S,
  id: '/web',
  container: { type: 'DOCKER', docker: { image: 'web:1' }, portMappings: [MAPPING] },
  networks: [{ mode: 'container/bridge' }],
};
const USER = { ...BRIDGE, networks: [{ mode: 'container', name: 'blue' }] };
const HOST = { ...S, id: '/web', cmd: 'sleep 1', portDefinitions: [{ port: 10_001 }, { port: 10_002 }] };

const NEW_IMAGE = { type: 'DOCKER', docker: { image: 'web:2' } };

/** Every request that changes fields of one app. */
const WAYS: readonly (readonly [string, (one: Server, fields: object) => ReturnType<typeof call>])[] = [
  ['PUT', (one, fields) => call(one, 'PUT', '/v2/apps/web?force=true', fields)],
  ['PATCH', (one, fields) => call(one, 'PATCH', '/v2/apps/web?force=true', fields)],
  ['PUT of a list', (one, fields) => call(one, 'PUT', '/v2/apps?force=true', [{ id: '/web', ...fields }])],
  [
    'PATCH of a list',
    (one, fields) => call(one, 'PATCH', '/v2/apps?force=true', [{ id: '/web', ...fields }]),
  ],
];

async function having(app: object): Promise<Server> {
  const one = server();
  expect((await call(one, 'POST', '/v2/apps', app)).statusCode).toBe(201);
  await one.run();
  return one;
}

describe.each(WAYS)('%s', (_way, send) => {
  const updated = async (app: object, fields: object) => {
    const one = await having(app);
    const answer = await send(one, fields);
    expect([answer.statusCode, answer.json().details]).toEqual([200, undefined]);
    return appOf(one, '/web');
  };

  it('of a new image keeps a bridge network', async () => {
    const { networks, container } = await updated(BRIDGE, { container: NEW_IMAGE });
    expect(networks).toEqual([{ mode: 'container/bridge' }]);
    expect(container.docker.image).toBe('web:2');
  });

  it('of a container with port mappings keeps the network of a user', async () => {
    const container = { ...NEW_IMAGE, portMappings: [MAPPING] };
    const app = await updated(USER, { container });
    expect(app.networks).toEqual([{ mode: 'container', name: 'blue' }]);
    expect(app.container.portMappings).toMatchObject([MAPPING]);
  });

  it('of a container without port mappings keeps host networking and its ports', async () => {
    const app = await updated(HOST, { container: NEW_IMAGE });
    expect(app.networks).toEqual([{ mode: 'host' }]);
    expect(app.portDefinitions).toMatchObject([{ port: 10_001 }, { port: 10_002 }]);
  });

  it('of networks changes them, also in the old form', async () => {
    expect((await updated(BRIDGE, { networks: USER.networks })).networks).toEqual(USER.networks);
    const container = { type: 'DOCKER', docker: { image: 'web:2', network: 'HOST' } };
    expect((await updated(BRIDGE, { container })).networks).toEqual([{ mode: 'host' }]);
  });

  it('of ports sets the service ports of the stored port mappings', async () => {
    const app = await updated(BRIDGE, { ports: [10_005] });
    expect(app.container.portMappings).toMatchObject([{ containerPort: 80, servicePort: 10_005 }]);
    expect(app.networks).toEqual(BRIDGE.networks);
  });

  it('that moves a container to the host gives it the default port instead of mappings', async () => {
    const app = await updated(BRIDGE, { networks: [{ mode: 'host' }] });
    expect(app.container).not.toHaveProperty('portMappings');
    expect(app.portDefinitions).toMatchObject([{ port: expect.any(Number), protocol: 'tcp' }]);
  });

  it('that moves an app off the host maps each of its ports', async () => {
    const app = await updated(
      { ...HOST, container: NEW_IMAGE },
      { networks: [{ mode: 'container/bridge' }] },
    );
    expect(app.container.portMappings).toHaveLength(2);
    expect(app.portDefinitions).toEqual([]);
  });

  it('of one field keeps all others', async () => {
    const full = {
      ...USER,
      role: undefined,
      labels: { a: 'b' },
      env: { A: 'b' },
      constraints: [['hostname', 'UNIQUE']],
      dependencies: ['/db'],
      healthChecks: [{ protocol: 'MESOS_TCP' }],
      upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.5 },
      unreachableStrategy: 'disabled',
      taskKillGracePeriodSeconds: 5,
      fetch: [{ uri: 'http://u/x' }],
    };
    const one = await having(full);
    const before = await appOf(one, '/web');
    await send(one, { backoffSeconds: 7 });
    const after = await appOf(one, '/web');
    const { version: _version, versionInfo: _info, backoffSeconds, deployments: _d, ...rest } = after;
    const {
      version: _old,
      versionInfo: _oldInfo,
      backoffSeconds: _seconds,
      deployments: _e,
      ...kept
    } = before;
    expect([backoffSeconds, rest]).toEqual([7, kept]);
  });
});

it.each(['PUT', 'PATCH'] as const)('%s refuses an id other than that in the path', async (method) => {
  const one = await having(BRIDGE);
  for (const id of ['/web', 'web']) {
    expect((await call(one, method, '/v2/apps/web', { id })).statusCode).toBe(200);
  }
  const answer = await call(one, method, '/v2/apps/web', { id: '/other', cpus: 1 });
  expect([answer.statusCode, answer.json().details]).toEqual([
    422,
    [{ path: '/id', errors: ['differs from /web, the app in the path'] }],
  ]);
});

describe('a group update', () => {
  const GROUP = { id: '/shop', dependencies: ['/db'], apps: [{ ...BRIDGE, id: 'web' }] };

  it('without dependencies keeps those of the group', async () => {
    const one = server();
    await call(one, 'POST', '/v2/groups', GROUP);
    await one.run();
    await call(one, 'PUT', '/v2/groups/shop', { apps: [{ ...BRIDGE, id: 'web', cpus: 0.1 }] });
    await one.run();
    expect((await call(one, 'GET', '/v2/groups/shop')).json().dependencies).toEqual(['/db']);
    await call(one, 'PUT', '/v2/groups/shop', { dependencies: [] });
    expect((await call(one, 'GET', '/v2/groups/shop')).json().dependencies).toEqual([]);
  });
});

describe('the health checks of an app', () => {
  it('have the portIndex 0 unless they name a port or run a command', async () => {
    const command = { value: 'true' };
    const healthChecks = [
      { protocol: 'TCP' },
      {},
      { protocol: 'MESOS_HTTP' },
      { protocol: 'TCP', port: 5 },
      { protocol: 'HTTP', portIndex: 1 },
    ];
    const one = await having({ ...HOST, healthChecks });
    const indexes = async () =>
      (await appOf(one, '/web')).healthChecks.map(({ portIndex }: { portIndex?: number }) => portIndex);
    expect(await indexes()).toEqual([0, 0, 0, undefined, 1]);
    await call(one, 'PUT', '/v2/apps/web?force=true', { healthChecks: [{ protocol: 'COMMAND', command }] });
    expect(await indexes()).toEqual([undefined]);
  });

  it('which an earlier release stored without a portIndex do not restart the app with the next update', async () => {
    const one = await having({ ...HOST, healthChecks: [{ protocol: 'TCP' }] });
    await one.runner.read((state) => {
      const record = state.apps.get('/web');
      for (const version of record?.versions ?? []) delete version.healthChecks[0]?.portIndex;
    });
    expect((await appOf(one, '/web')).healthChecks[0].portIndex).toBe(0);
    const plan = await call(one, 'PUT', '/v2/apps/web?dryRun=true&force=true', { instances: 2 });
    expect(plan.json().steps).toEqual([{ actions: [{ action: 'ScaleApplication', app: '/web' }] }]);
  });
});
