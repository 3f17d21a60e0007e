import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appV2 } from '../../../../test/scheduler/fixtures.ts';
import { parseOptions } from '../../../executor/domain/docker-options.ts';
import { readDefinition } from '../../domain/definition.ts';
import { optionsOf } from './container-options.ts';

const IMAGE = { image: 'redis' };

function options(docker: Record<string, unknown>, more: Record<string, unknown> = {}): string[] {
  const { volumes, ...app } = more;
  const networks = [{ mode: 'container/bridge' }];
  return optionsOf(appV2({ networks, ...app, container: { docker: { ...IMAGE, ...docker }, volumes } }));
}

describe('the options of a container', () => {
  it.each<[Record<string, unknown>, string[]]>([
    [{}, []],
    [{ cpuQuota: true }, []],
    [{ init: false }, ['--init=false']],
    [{ shmSize: 256 }, ['--shm-size=256m']],
    [{ workdir: '/srv' }, ['--workdir=/srv']],
    [
      {
        ulimits: [
          { name: 'nofile', soft: 1024, hard: 2048 },
          { name: 'core', soft: 0, hard: -1 },
        ],
      },
      ['--ulimit=nofile=1024:2048', '--ulimit=core=0:-1'],
    ],
    [
      { tmpfs: [{ containerPath: '/run' }, { containerPath: '/tmp', size: 64 }] },
      ['--tmpfs=/run', '--tmpfs=/tmp:size=64m'],
    ],
    [{ log: { driver: 'syslog', options: { tag: 'x' } } }, ['--log-driver=syslog', '--log-opt=tag=x']],
    [{ shmSize: 1, parameters: [{ key: 'shm-size', value: '2m' }] }, ['--shm-size=1m', '--shm-size=2m']],
  ])('of %j are %j', (docker, expected) => {
    expect(options(docker)).toEqual(expected);
  });

  it('include the user, aliases and propagation', () => {
    const networks = [{ mode: 'container', name: 'web', aliases: ['a', 'b'] }];
    expect(options({}, { networks, user: 'nobody' })).toEqual([
      ...['--network', 'web', '--network-alias=a', '--network-alias=b', '--user=nobody'],
    ]);
    const volumes = [
      { containerPath: '/a', hostPath: '/b', mode: 'RO', propagation: 'rslave' },
      { containerPath: '/c', hostPath: 'named' },
    ];
    expect(options({}, { volumes })).toEqual(['-v', '/b:/a:ro,rslave', '-v', 'named:/c:rw']);
  });

  it('are one option for each hostile value', () => {
    const hostile = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'-=$`"\'\\;|& \n/.a'), minLength: 1, maxLength: 20 }),
      fc.constantFrom('--privileged', '$(reboot)', '../..', '-v/:/x', "'; rm -rf /; '"),
    );
    fc.assert(
      fc.property(hostile, hostile, hostile, (user, key, value) => {
        const parameters = [{ key: 'env', value: `${key}=${value}` }];
        const networks = [{ mode: 'container', name: 'web', aliases: [value] }];
        const all = options({ parameters, log: { options: { [key]: value } } }, { networks, user });
        expect(parseOptions(all)).toEqual({
          options: [
            { name: 'network', value: 'web' },
            { name: 'network-alias', value },
            { name: 'user', value: user },
            { name: 'log-opt', value: `${key}=${value}` },
            { name: 'env', value: `${key}=${value}` },
          ],
        });
      }),
    );
  });
});

describe('a field of a container', () => {
  const errorsOf = (container: Record<string, unknown>, more: Record<string, unknown> = {}) => {
    const read = readDefinition({ id: '/a', ...more, container });
    return 'errors' in read ? read.errors.map(({ path, error }) => `${path.join('.')}: ${error}`) : [];
  };

  it.each<[Record<string, unknown>, RegExp]>([
    [{ docker: { ...IMAGE, cpuQuota: 'yes' } }, /^container.docker.cpuQuota: must be true or false/],
    [{ docker: { ...IMAGE, shmSize: 0 } }, /^container.docker.shmSize: must be at least 1/],
    [
      { docker: { ...IMAGE, ulimits: [{ name: 'no file', soft: 1, hard: 1 }] } },
      /ulimits.0.name: must be the name/,
    ],
    [
      { docker: { ...IMAGE, ulimits: [{ name: 'core', soft: -2, hard: 1 }] } },
      /ulimits.0.soft: must be at least -1/,
    ],
    [
      { docker: { ...IMAGE, tmpfs: [{ containerPath: '/a:exec' }] } },
      /tmpfs.0.containerPath: must be an absolute path/,
    ],
    [{ docker: { ...IMAGE, workdir: 'x' } }, /workdir: must be an absolute path/],
    [{ docker: { ...IMAGE, log: {} } }, /log: may not be empty/],
    [
      { docker: IMAGE, linuxInfo: { seccomp: { unconfined: true } } },
      /^container.linuxInfo: is not supported/,
    ],
    [
      { docker: IMAGE, volumes: [{ containerPath: 'x', external: { name: 'v' } }] },
      /volumes.0.external: is not supported/,
    ],
    [
      { docker: IMAGE, volumes: [{ containerPath: '/x', hostPath: '/y', propagation: 'z' }] },
      /volumes.0.propagation: must be private/,
    ],
    [
      { docker: IMAGE, volumes: [{ containerPath: '/x', hostPath: 'named', propagation: 'slave' }] },
      /volumes.0.propagation: needs a hostPath/,
    ],
  ])('%j is refused with its path', (container, message) => {
    expect(errorsOf(container)).toContainEqual(expect.stringMatching(message));
  });

  it.each([
    [[{ mode: 'host', aliases: ['x'] }]],
    [[{ mode: 'container', aliases: ['x'] }]],
    [
      [
        { mode: 'container', name: 'a', aliases: ['x'] },
        { mode: 'container', name: 'b' },
      ],
    ],
  ])('aliases need a single network with a name: %j', (networks) => {
    expect(errorsOf({ docker: IMAGE }, { networks })).toEqual([
      'networks.0.aliases: need a single network of mode container with a name, and an image',
    ]);
  });
});
