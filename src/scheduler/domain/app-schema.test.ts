import { describe, expect, it } from 'vitest';
import '../linear-patterns.ts';
import { hasOwnNetwork, imageOf, portsOf, servicePortsOf } from './app.ts';
import { type AppDefinition, appSchema } from './app-schema.ts';
import { fieldErrors } from './field-errors.ts';

function parsed(fields: Record<string, unknown>): AppDefinition {
  return appSchema.parse({ id: '/a', cmd: 'true', ...fields });
}

/** `path: message` for each error. */
function errorsOf(fields: unknown): string[] {
  const result = appSchema.safeParse(fields);
  return result.success
    ? []
    : fieldErrors(result.error).map(({ path, error }) => `${path.join('.')}: ${error}`);
}

describe('an app', () => {
  it('has every default filled in', () => {
    expect(appSchema.parse({ id: '/a' })).toMatchObject({
      instances: 1,
      cpus: 1,
      mem: 128,
      networks: [{ mode: 'host' }],
      portDefinitions: [{ port: 0, protocol: 'tcp', labels: {} }],
      upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
      unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
      mode: 'service',
    });
  });

  it('may have null for omitted fields, at any depth', () => {
    expect(
      parsed({ user: null, container: { docker: { image: 'i', parameters: null } } }),
    ).not.toHaveProperty('user');
  });

  it.each([
    [[], 'must be a JSON object'],
    ['x', 'must be a JSON object'],
  ])('is an object, not %j', (sent, message) => {
    expect(errorsOf(sent)).toEqual([`: ${message}`]);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ args: ['x'] }, "args: can't be combined with cmd: set only one of them"],
    [{ portDefinitions: [{ name: 'a' }, { name: 'a' }] }, 'portDefinitions: must have different names'],
    [{ portDefinitions: [{ port: 80 }, { port: 80 }] }, 'portDefinitions: must be different from each other'],
    [
      { networks: [{ mode: 'host' }, { mode: 'container', name: 'x' }] },
      'networks: may have several entries only if all have mode container',
    ],
    [
      { container: { docker: { image: 'i' }, volumes: [{ containerPath: '/x' }] } },
      'container.volumes.0: has no hostPath: only host volumes are supported',
    ],
    [
      { container: { docker: { image: 'i' }, volumes: [{ containerPath: '/x:/', hostPath: '/y' }] } },
      "container.volumes.0: may not hold ':'",
    ],
    [
      { healthChecks: [{ protocol: 'TCP', portIndex: 1 }] },
      'healthChecks.0.portIndex: must be less than 1, the number of ports',
    ],
    [
      {
        container: { portMappings: [] },
        networks: [{ mode: 'container' }],
        healthChecks: [{ protocol: 'TCP' }],
      },
      'healthChecks.0.portIndex: has no port: the app declares none; set port, or declare one',
    ],
    [{ healthChecks: [{ protocol: 'COMMAND' }] }, 'healthChecks.0.command: may not be empty'],
    [
      { unreachableStrategy: { inactiveAfterSeconds: 9, expungeAfterSeconds: 8 } },
      'unreachableStrategy.expungeAfterSeconds: must be at least inactiveAfterSeconds (9)',
    ],
    [
      { healthChecks: [{ protocol: 'MESOS_TCP' }, { protocol: 'MESOS_HTTP' }] },
      'healthChecks: may have at most one check of MESOS_HTTP, MESOS_HTTPS or MESOS_TCP',
    ],
  ])('must not be %j', (fields, problem) => {
    expect(errorsOf({ id: '/a', cmd: 'true', ...fields })).toEqual([problem]);
  });

  it('needs no port definition for a check with a fixed port or a command', () => {
    const healthChecks = [
      { protocol: 'TCP', port: 80 },
      { protocol: 'COMMAND', command: { value: 'true' } },
    ];
    expect(errorsOf({ id: '/a', cmd: 'true', portDefinitions: [], healthChecks })).toEqual([]);
  });
});

describe('fields of older versions', () => {
  it('for fetching, ports and addresses are converted', () => {
    expect(parsed({ uris: ['http://u', 'http://u/a.tgz?x'], ports: [80, 0] })).toMatchObject({
      fetch: [
        { uri: 'http://u', extract: false },
        { uri: 'http://u/a.tgz?x', extract: true },
      ],
      portDefinitions: [{ port: 80 }, { port: 0 }],
    });
    expect(parsed({ ipAddress: { networkName: 'n' }, container: {} }).networks).toEqual([
      { mode: 'container', name: 'n' },
    ]);
    expect(errorsOf({ id: '/a', cmd: 'true', ports: 80 })).toEqual(['portDefinitions: must be an array']);
  });

  it.each([
    ['HOST', 'host'],
    ['bridge', 'container/bridge'],
    ['USER', 'container'],
  ])('for Docker’s network %s are converted', (network, mode) => {
    expect(parsed({ container: { docker: { image: 'i', network } } })).toMatchObject({
      container: { type: 'DOCKER', docker: { image: 'i' } },
      networks: [{ mode }],
    });
  });

  it('for mapped ports with separate service ports are converted', () => {
    const docker = {
      image: 'i',
      network: 'BRIDGE',
      portMappings: [{ containerPort: 80 }, { servicePort: 7 }],
    };
    const app = parsed({ container: { docker }, ports: [10_001, 10_002] });
    expect(servicePortsOf(app)).toEqual([10_001, 7]);
    expect(app.portDefinitions).toEqual([]);
  });

  it('are ignored beside the new ones', () => {
    const app = parsed({
      uris: ['http://old'],
      fetch: [{ uri: 'http://new' }],
      ports: [1],
      portDefinitions: [],
    });
    expect([app.fetch.map(({ uri }) => uri), app.portDefinitions]).toEqual([['http://new'], []]);
    const container = {
      docker: { image: 'i', network: 'HOST', portMappings: [] },
      portMappings: [{ hostPort: 1 }],
    };
    expect(parsed({ container, networks: [{ mode: 'container/bridge' }] })).toMatchObject({
      container: { portMappings: [{ hostPort: 1 }] },
      networks: [{ mode: 'container/bridge' }],
    });
  });
});

describe('ports of the host', () => {
  const container = { docker: { image: 'docker:///i' } };

  it('come from portDefinitions with host networking', () => {
    const app = parsed({ requirePorts: true, portDefinitions: [{ port: 80, name: 'http' }] });
    expect(portsOf(app)).toEqual([
      { servicePort: 80, hostPort: 80, protocol: 'tcp', name: 'http', labels: {} },
    ]);
    expect(hasOwnNetwork(app)).toBe(false);
    expect(portsOf(parsed({ portDefinitions: [{ port: 80 }] }))[0]?.hostPort).toBe(0);
  });

  it('come from portMappings if the container has its own network', () => {
    const portMappings = [{ containerPort: 80 }, { containerPort: 81, hostPort: 31_000 }];
    const bridged = parsed({ container: { ...container, portMappings } });
    expect(bridged.networks).toEqual([{ mode: 'container/bridge' }]);
    expect(portsOf(bridged).map(({ hostPort, containerPort }) => [hostPort, containerPort])).toEqual([
      [0, 80],
      [31_000, 81],
    ]);
    // In a user-defined network, only mappings that request a host port.
    const named = parsed({
      container: { ...container, portMappings },
      networks: [{ mode: 'container', name: 'n' }],
    });
    expect(portsOf(named).map(({ hostPort }) => hostPort)).toEqual([31_000]);
    const unnamed = parsed({ container, networks: [{ mode: 'container/bridge' }] });
    expect(portsOf(unnamed)).toMatchObject([{ name: 'default', containerPort: 0, hostPort: 0 }]);
    expect(imageOf(named)).toBe('i');
    expect(imageOf(parsed({}))).toBeUndefined();
  });
});
