/** Fields that can't be honoured: refused or listed, never lost. */

import { describe, expect, it } from 'vitest';
import '../linear-patterns.ts';
import type { AppDefinition } from './app-schema.ts';
import { readDefinition } from './definition.ts';
import { pathText } from './field-errors.ts';

const APP = { id: '/a', cmd: 'true' };
const DOCKER = { type: 'DOCKER', docker: { image: 'i' } };

/** `path message` for each refused field, or for each field without effect. */
function read(fields: object, sent?: object): { refused?: string[]; listed?: string[] } {
  const result = readDefinition({ ...APP, ...fields }, sent);
  const texts = (found: readonly { path: readonly (string | number)[]; error: string }[]) =>
    found.map(({ path, error }) => `${pathText(path)} ${error}`);
  return 'errors' in result ? { refused: texts(result.errors) } : { listed: texts(result.warnings) };
}

describe('a field that Marathon honours and this scheduler does not', () => {
  it.each<[object, string]>([
    [{ secrets: { s: { source: '/s' } } }, '/secrets are not supported'],
    [{ env: { A: { secret: 's' } } }, '/env/A/secret is not supported: set the value'],
    [
      { container: { docker: { image: 'i', pullConfig: { secret: 's' } } } },
      '/container/docker/pullConfig is',
    ],
    [
      { container: { docker: { image: 'i', credential: { principal: 'p' } } } },
      '/container/docker/credential is',
    ],
    [{ container: { ...DOCKER, linuxInfo: { ipcInfo: { mode: 'PRIVATE' } } } }, '/container/linuxInfo is'],
    [
      { container: { ...DOCKER, volumes: [{ containerPath: 'x', secret: 's' }] } },
      '/container/volumes(0)/secret is not supported',
    ],
    [
      { container: { ...DOCKER, portMappings: [{ networkNames: ['n'] }] } },
      '/container/portMappings(0)/networkNames are not supported',
    ],
    [
      { networks: [{ mode: 'container/bridge', labels: { a: 'b' } }] },
      '/networks(0)/labels are not supported',
    ],
    [{ ipAddress: { labels: { a: 'b' } } }, '/ipAddress/labels are not supported'],
    [{ check: { tcp: { port: 1 } } }, '/check is not supported'],
    [{ healthChecks: [{ ipProtocol: 'IPv6' }] }, '/healthChecks(0)/ipProtocol must be IPv4'],
    [{ executorResources: { cpus: 1 } }, '/executorResources are not supported'],
    [{ resourceLimits: { mem: 'unlimited' } }, '/resourceLimits are not supported'],
    [{ tty: true }, '/tty is not supported'],
  ])('is refused with its path and the reason: %j', (fields, text) => {
    expect(read(fields).refused).toEqual([expect.stringContaining(text)]);
  });

  it('is refused together with all other problems of the definition', () => {
    expect(read({ cpus: 0, tty: true }).refused).toEqual([
      '/cpus must be at least 0.001',
      expect.stringMatching(/^\/tty /),
    ]);
  });

  it('is accepted if its value means that it is not used', () => {
    const fields = {
      ...{ secrets: {}, tty: false, check: null, residency: null, executorResources: {} },
      networks: [{ mode: 'host', labels: {} }],
      healthChecks: [{ ipProtocol: 'IPv4', ignoreHttp1xx: false }],
      container: { ...DOCKER, linuxInfo: {}, volumes: [], docker: { image: 'i', pullConfig: null } },
    };
    expect(read(fields)).toEqual({ listed: [] });
  });
});

describe('a field without effect', () => {
  it('is listed with its path, if Marathon ignores it too or does not know it', () => {
    const fields = {
      residency: { taskLostBehavior: 'WAIT_FOREVER' },
      taskRateLimit: 1,
      healthChecks: [{ protocol: 'TCP' }, { ignoreHttp1xx: true, pfad: '/' }],
      container: { ...DOCKER, docker: { image: 'i', shmsize: 1 } },
      heathChecks: [],
      instanzes: 2,
    };
    expect(read(fields).listed?.sort()).toEqual([
      '/container/docker/shmsize is not a known field, and has no effect',
      '/healthChecks(1)/ignoreHttp1xx has no effect: a check waits for the final answer after a status from 100 to 199',
      '/healthChecks(1)/pfad is not a known field, and has no effect',
      '/instanzes is not a known field, and has no effect',
      '/residency has no effect, as in Marathon',
      '/taskRateLimit has no effect',
    ]);
  });

  it('is not listed if answers contain it, or if it is an older name of another field', () => {
    const fields = {
      ...{ version: '2020', versionInfo: { lastScalingAt: '2020' }, tasksRunning: 1, tasks: [{ id: 'x' }] },
      ...{ uris: ['http://u'], ports: [80], deployments: [{ id: 'd' }] },
    };
    expect(read(fields)).toEqual({ listed: [] });
  });

  it('is looked for only in the fields that were sent', () => {
    expect(read({ instanzes: 2 }, { cpus: 2 })).toEqual({ listed: [] });
  });
});

describe('a form that Marathon normalizes', () => {
  function definitionOf(fields: object): AppDefinition {
    const result = readDefinition({ ...APP, ...fields });
    if ('errors' in result) throw new TypeError(JSON.stringify(result.errors));
    expect(result.warnings).toEqual([]);
    return result.definition;
  }
  const mapping = (more: object) => ({
    containerPort: 0,
    servicePort: 0,
    protocol: 'tcp',
    labels: {},
    ...more,
  });
  const bridged = (more: object = {}) => ({ ...DOCKER, docker: { image: 'i', network: 'BRIDGE', ...more } });

  it.each<[object, object]>([
    [{ args: [] }, { cmd: 'true', networks: [{ mode: 'host' }] }],
    [{ networks: [] }, { networks: [{ mode: 'host' }], portDefinitions: [{ name: 'default' }] }],
    [{ cmd: null, args: ['/bin/sleep', '30'] }, { args: ['/bin/sleep', '30'] }],
    [
      { networks: [{ name: 'n' }] },
      { networks: [{ mode: 'container', name: 'n' }], container: { type: 'MESOS' } },
    ],
    [{ uris: ['file:///a.tar.gz'], fetch: [] }, { fetch: [{ uri: 'file:///a.tar.gz', extract: true }] }],
    [{ uris: ['u'], fetch: [{ uri: 'u', cache: true }] }, { fetch: [{ uri: 'u', cache: true }] }],
    [{ fetch: [{ uri: 'u', destPath: 'd/f' }] }, { fetch: [{ uri: 'u', destPath: 'd/f' }] }],
    [{ healthChecks: [{ path: 'ping' }] }, { healthChecks: [{ path: 'ping' }] }],
    [
      { container: bridged({ portMappings: [{ servicePort: 9, protocol: 'udp' }, { servicePort: 9 }] }) },
      {
        container: {
          portMappings: [mapping({ servicePort: 9, protocol: 'udp' }), mapping({ servicePort: 9 })],
        },
      },
    ],
    [
      { container: bridged(), ports: [0, 9] },
      {
        networks: [{ mode: 'container/bridge' }],
        container: { portMappings: [mapping({ name: 'default' }), mapping({ servicePort: 9 })] },
        portDefinitions: [],
      },
    ],
    [{ container: bridged() }, { container: { portMappings: [mapping({ name: 'default' })] } }],
    [{ container: bridged({ portMappings: [] }) }, { container: { portMappings: [] } }],
    [
      { container: bridged(), portDefinitions: [{ name: 'a', labels: { l: 'v' } }, { protocol: 'udp' }] },
      {
        container: {
          portMappings: [mapping({ name: 'a', labels: { l: 'v' } }), mapping({ protocol: 'udp' })],
        },
      },
    ],
    [
      {
        container: { type: 'MESOS', docker: { image: 'i' } },
        ipAddress: { networkName: 'n', discovery: { ports: [{ number: 80, name: 'web' }] } },
      },
      {
        networks: [{ mode: 'container', name: 'n' }],
        container: { portMappings: [mapping({ containerPort: 80, name: 'web' })] },
      },
    ],
    [{ ipAddress: { networkName: 'n' } }, { networks: [{ mode: 'container', name: 'n' }] }],
    [
      { ipAddress: { networkName: 'n' }, container: { docker: { image: 'i', network: 'USER' } } },
      { networks: [{ mode: 'container', name: 'n' }], container: { type: 'DOCKER' } },
    ],
  ])('is accepted: %j', (fields, wanted) => {
    expect(definitionOf(fields)).toMatchObject(wanted);
    expect(definitionOf({ args: [] })).not.toHaveProperty('args');
  });

  it.each<[object, string]>([
    [{ uris: ['a'], fetch: [{ uri: 'b' }] }, "/uris can't be combined with fetch"],
    [{ uris: 'a' }, '/fetch must be an array'],
    [{ ports: [1], portDefinitions: [{ port: 2 }] }, "/ports can't be combined with portDefinitions"],
    [{ container: { docker: { image: 'i', network: 'NONE' } } }, '/container/docker/network may not be NONE'],
    [{ container: { docker: { image: 'i', network: 'x' } } }, '/container/docker/network must be BRIDGE'],
    [
      { container: bridged(), networks: [{ mode: 'host' }] },
      "/container/docker/network can't be combined with networks",
    ],
    [{ ipAddress: {}, networks: [{ name: 'n' }] }, "/ipAddress can't be combined with networks"],
    [{ ipAddress: 'x' }, '/ipAddress must be an object'],
    [{ ipAddress: { networkName: '' } }, '/ipAddress/networkName must be the name of a network'],
    [{ ipAddress: {}, ports: [1] }, "/ports can't be combined with ipAddress"],
    [
      { container: { ...bridged({ portMappings: [{}] }), portMappings: [{}] } },
      "/container/docker/portMappings can't be combined",
    ],
    [
      { container: DOCKER, ipAddress: { discovery: { ports: [{ name: 'a' }] } } },
      '/ipAddress/discovery/ports need container.type MESOS',
    ],
    [
      { ipAddress: { discovery: { ports: ['a'] } } },
      '/ipAddress/discovery/ports must be an array of objects',
    ],
    [
      {
        container: { type: 'MESOS', portMappings: [{}] },
        ipAddress: { discovery: { ports: [{ name: 'a' }] } },
      },
      "/ipAddress/discovery/ports can't be combined",
    ],
    [{ container: { type: 'DOCKER' } }, '/container/docker may not be empty'],
  ])('is refused if its parts contradict each other: %j', (fields, text) => {
    expect(read(fields).refused).toContainEqual(expect.stringContaining(text));
  });

  it.each<[object, string]>([
    [
      { networks: [{ mode: 'host' }], container: { ...DOCKER, portMappings: [{}] } },
      '/container/portMappings have no effect with the network host',
    ],
    [{ container: bridged(), requirePorts: true }, '/requirePorts has no effect with a container network'],
    [
      { container: bridged({ portMappings: [{}] }), portDefinitions: [{ name: 'a' }] },
      '/portDefinitions have no effect beside container.portMappings',
    ],
    [
      { healthChecks: [{ protocol: 'MESOS_TCP' }, { protocol: 'COMMAND', command: { value: 'x' } }] },
      '/healthChecks(1) has no effect, as in Marathon: Mesos runs one such check per task, here MESOS_TCP',
    ],
    [
      {
        healthChecks: [
          { protocol: 'COMMAND', command: { value: 'x' } },
          { protocol: 'COMMAND', command: { value: 'y' }, intervalSeconds: 5 },
        ],
      },
      '/healthChecks(1)/intervalSeconds has no effect: the commands run together, with 60',
    ],
  ])('is listed where a part has no effect: %j', (fields, text) => {
    expect(read(fields).listed).toEqual([expect.stringContaining(text)]);
  });
});

it('with very many faults is refused in a moment', () => {
  const names = Array.from({ length: 40_000 }, (_, i) => [`V${i}`, { secret: 's' }]);
  const before = process.cpuUsage();
  expect(read({ env: Object.fromEntries(names) }).refused).toHaveLength(40_000);
  // Compared with each other, they would take minutes. Other processes don't count.
  expect(process.cpuUsage(before).user / 1e6).toBeLessThan(10);
});

it('with a readiness check that keeps its responses is honoured', () => {
  const readinessChecks = [{ portName: 'web', preserveLastResponse: true }];
  expect(read({ portDefinitions: [{ name: 'web' }], readinessChecks })).toEqual({ listed: [] });
});
