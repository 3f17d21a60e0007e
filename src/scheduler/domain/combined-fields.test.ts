/** Fields that have no effect beside others: refused where Marathon 1.11 refuses them, listed where it accepts them. */

import { describe, expect, it } from 'vitest';
import '../linear-patterns.ts';
import { readDefinition } from './definition.ts';
import { pathText } from './field-errors.ts';

const DOCKER = { type: 'DOCKER', docker: { image: 'i' } };
const COMMAND = { protocol: 'COMMAND', command: { value: 'true' } };
const SINGLE = { MARATHON_SINGLE_INSTANCE_APP: 'true' };
const ENDS_FIRST = { minimumHealthCapacity: 0, maximumOverCapacity: 0 };
const NONE: string[] = [];

/** `path message` of each refused field, or of each field without effect. */
function read(fields: object): { refused?: string[]; listed?: string[] } {
  const result = readDefinition({ id: '/a', cmd: 'true', ...fields });
  const texts = (found: readonly { path: readonly (string | number)[]; error: string }[]) =>
    found.map(({ path, error }) => `${pathText(path)} ${error}`);
  return 'errors' in result ? { refused: texts(result.errors) } : { listed: texts(result.warnings) };
}

const check = (fields: object, more: object = {}) => ({ healthChecks: [fields], ...more });
const readiness = (fields: object) => ({
  portDefinitions: [{ name: 'http-api' }],
  readinessChecks: [fields],
});

describe('is refused', () => {
  it.each<[object, string]>([
    [{ networks: [{ mode: 'host', name: 'n' }] }, "/networks(0)/name can't be set with the mode host"],
    [
      { networks: [{ mode: 'container/bridge', name: 'n' }] },
      "/networks(0)/name can't be set with the mode container/bridge: only networks of mode container have names",
    ],
    [{ networks: [{}, { name: 'n' }, {}] }, '/networks(2)/name may be empty for one entry only'],
    [check({ ...COMMAND, port: 80 }), "/healthChecks(0)/port can't be combined with COMMAND"],
    [check({ ...COMMAND, path: '/x' }), "/healthChecks(0)/path can't be combined with COMMAND"],
    [check({ ...COMMAND, protocol: 'HTTP' }), "/healthChecks(0)/command can't be combined with HTTP"],
    [check({ protocol: 'TCP', port: 80, portIndex: 1 }), '/healthChecks(0)/portIndex must be less than 1'],
    [check({ protocol: 'MESOS_HTTP' }, { portDefinitions: [] }), '/healthChecks(0)/portIndex has no port'],
    [
      readiness({ intervalSeconds: 10, timeoutSeconds: 10 }),
      '/readinessChecks(0)/timeoutSeconds must be less than intervalSeconds (10)',
    ],
    [
      { labels: SINGLE, instances: 2, upgradeStrategy: ENDS_FIRST },
      '/instances must be at most 1 with the label',
    ],
    [
      { labels: SINGLE, upgradeStrategy: { ...ENDS_FIRST, minimumHealthCapacity: 0.5 } },
      '/upgradeStrategy/minimumHealthCapacity must be 0 with the label',
    ],
    [
      { labels: SINGLE, upgradeStrategy: { ...ENDS_FIRST, maximumOverCapacity: 1 } },
      '/upgradeStrategy/maximumOverCapacity must be 0 with the label',
    ],
  ])('%j', (fields, text) => {
    expect(read(fields).refused).toEqual([expect.stringContaining(text)]);
  });
});

describe('is accepted and listed', () => {
  const NO_EFFECT = (path: string, why: string) => `${path} has no effect ${why}, as in Marathon`;
  it.each<[object, string[]]>([
    [check({ ...COMMAND, portIndex: 0 }), [NO_EFFECT('/healthChecks(0)/portIndex', 'with COMMAND')]],
    [check({ protocol: 'TCP', path: '/x' }), [NO_EFFECT('/healthChecks(0)/path', 'with TCP')]],
    [check({ protocol: 'MESOS_TCP', path: '/x' }), [NO_EFFECT('/healthChecks(0)/path', 'with MESOS_TCP')]],
    [check({ port: 80, portIndex: 0 }), [NO_EFFECT('/healthChecks(0)/portIndex', 'beside port')]],
    [
      check({ delaySeconds: 3 }),
      [NO_EFFECT('/healthChecks(0)/delaySeconds', 'with HTTP: use gracePeriodSeconds')],
    ],
    [
      { ipAddress: { networkName: 'n' }, container: { docker: { image: 'i', network: 'HOST' } } },
      [NO_EFFECT('/ipAddress/networkName', 'with the Docker network HOST')],
    ],
    [
      { ipAddress: { networkName: 'n' }, container: { docker: { image: 'i', network: 'bridge' } } },
      [NO_EFFECT('/ipAddress/networkName', 'with the Docker network bridge')],
    ],
    [{ ipAddress: { networkName: 'n' }, container: { docker: { image: 'i', network: 'USER' } } }, NONE],
    [check({ protocol: 'MESOS_HTTP', delaySeconds: 3, path: 'x', portIndex: 0 }), NONE],
    [check({ protocol: 'TCP', path: '', port: 80, delaySeconds: 15 }), NONE],
    [check({ ...COMMAND, path: '', delaySeconds: 3 }), NONE],
    [
      { fetch: [{ uri: 'http://h/a.tgz?x', executable: true }] },
      [NO_EFFECT('/fetch(0)/extract', 'beside executable')],
    ],
    [
      {
        fetch: [
          { uri: 'http://h/a.tgz', executable: true, extract: false },
          { uri: 'http://h/a', executable: true },
        ],
      },
      NONE,
    ],
    [{ labels: SINGLE, upgradeStrategy: ENDS_FIRST }, NONE],
    [{ labels: { MARATHON_SINGLE_INSTANCE_APP: 'false' }, instances: 2 }, NONE],
    [readiness({ intervalSeconds: 10, timeoutSeconds: 9 }), NONE],
    [{ container: DOCKER, networks: [{ name: 'a' }, { name: 'b' }] }, NONE],
  ])('%j', (fields, listed) => {
    expect(read(fields)).toEqual({ listed });
  });
});
