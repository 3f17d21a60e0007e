/** Fields that can't be honoured: refused or listed, never lost. */

import { describe, expect, it } from 'vitest';
import '../linear-patterns.ts';
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
      '/healthChecks(1)/ignoreHttp1xx has no effect, as in Marathon',
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
