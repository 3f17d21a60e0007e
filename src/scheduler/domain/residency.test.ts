import { describe, expect, it } from 'vitest';
import '../linear-patterns.ts';
import { type AppDefinition, appSchema } from './app-schema.ts';
import { fieldErrors } from './field-errors.ts';
import { findReservedChanges } from './residency.ts';

type Fields = Record<string, unknown>;

const VOLUME = { containerPath: 'data', mode: 'RW', persistent: { size: 64 } };

function fieldsOf(volumes: Fields[], more: Fields = {}): Fields {
  return { id: '/db', ...more, container: { type: 'DOCKER', docker: { image: 'redis' }, volumes } };
}

/** `path: message` for each error. */
function errorsOf(volumes: Fields[], more: Fields = {}): string[] {
  const result = appSchema.safeParse(fieldsOf(volumes, more));
  return result.success
    ? []
    : fieldErrors(result.error).map(({ path, error }) => `${path.join('.')}: ${error}`);
}

function parsed(more: Fields = {}, volumes: Fields[] = [VOLUME]): AppDefinition {
  return appSchema.parse(fieldsOf(volumes, more));
}

it('an app with a persistent volume has the defaults of Marathon', () => {
  expect(parsed({ upgradeStrategy: { minimumHealthCapacity: 0 } })).toMatchObject({
    residency: {},
    unreachableStrategy: 'disabled',
    upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 },
  });
});

describe('an app with a persistent volume refuses', () => {
  it.each<[Fields, string]>([
    [{ unreachableStrategy: { inactiveAfterSeconds: 60 } }, 'unreachableStrategy'],
    [{ upgradeStrategy: { maximumOverCapacity: 1 } }, 'upgradeStrategy.maximumOverCapacity'],
    [{ mode: 'batch' }, 'mode'],
    [{ acceptedResourceRoles: ['db'] }, 'acceptedResourceRoles'],
    [{ acceptedResourceRoles: ['*', 'db'] }, 'acceptedResourceRoles'],
    [{ upgradeStrategy: 'fast' }, 'upgradeStrategy'],
  ])('%j', (more, path) => {
    expect(errorsOf([VOLUME], more)).toEqual([expect.stringMatching(`^${path}: `)]);
  });

  it.each<[Fields, string]>([
    [{ hostPath: '/srv' }, 'hostPath'],
    [{ mode: 'RO' }, 'mode'],
    [{ containerPath: 'a/b' }, 'containerPath'],
    [{ containerPath: '..' }, 'containerPath'],
    [{ containerPath: 'stdout' }, 'containerPath'],
    [{ containerPath: 'a,b' }, 'containerPath'],
    [{ persistent: { size: 0 } }, 'persistent.size'],
    [{ persistent: { size: 64, maxSize: 128 } }, 'persistent.maxSize'],
    [{ persistent: { size: 64, maxSize: 64, type: 'mount' } }, 'persistent.maxSize'],
    [{ persistent: { size: 64, constraints: [['path', 'LIKE', 'x']] } }, 'persistent.constraints'],
    [
      { persistent: { size: 64, type: 'path', constraints: [['name', 'LIKE', 'x']] } },
      'persistent.constraints.0',
    ],
    [
      { persistent: { size: 64, type: 'path', constraints: [['path', 'IS', 'x']] } },
      'persistent.constraints.0',
    ],
    [{ persistent: { size: 64, type: 'path', constraints: [['path', 'LIKE']] } }, 'persistent.constraints.0'],
    [
      { persistent: { size: 64, type: 'path', constraints: [['path', 'UNLIKE', '(']] } },
      'persistent.constraints.0',
    ],
  ])('the volume %j', (more, path) => {
    const found = errorsOf([{ ...VOLUME, ...more }]);
    expect(found).toEqual([expect.stringMatching(`^container.volumes.0.${path}: `)]);
  });

  it('two volumes at one path', () => {
    expect(errorsOf([VOLUME, VOLUME])).toEqual([
      'container.volumes.0.containerPath: must be different for each persistent volume',
      'container.volumes.1.containerPath: must be different for each persistent volume',
    ]);
  });
});

it('an app with volumes of type path and mount takes conditions for their paths', () => {
  const constraints = [['path', 'LIKE', '/mnt/.*']];
  const path = { containerPath: 'a', mode: 'RW', persistent: { size: 1, type: 'path', constraints } };
  const mount = { containerPath: 'b', mode: 'RW', persistent: { size: 1, maxSize: 2, type: 'mount' } };
  expect(errorsOf([path, mount])).toEqual([]);
});

describe('changes of what is reserved', () => {
  const paths = (before: AppDefinition, after: AppDefinition) =>
    [...findReservedChanges(before, after)].map(({ path }) => path.join('.'));

  it.each<[Fields, string[]]>([
    [{ cpus: 2 }, ['cpus']],
    [{ mem: 512, disk: 5 }, ['mem', 'disk']],
    [{ requirePorts: true, portDefinitions: [{ port: 8080 }] }, ['requirePorts', 'portDefinitions']],
    [{ portDefinitions: [{ port: 0 }, { port: 0 }] }, ['portDefinitions']],
    [{ cmd: 'other', env: { A: '1' }, instances: 3 }, []],
  ])('%j', (more, expected) => {
    expect(paths(parsed(), parsed(more))).toEqual(expected);
  });

  it('to other volumes or host ports of mappings are found, but not to another order', () => {
    const other = { ...VOLUME, containerPath: 'more' };
    expect(paths(parsed({}, [VOLUME, other]), parsed({}, [other, VOLUME]))).toEqual([]);
    expect(paths(parsed(), parsed({}, [VOLUME, other]))).toEqual(['container.volumes']);
    const mapped = (hostPort: number) => {
      const definition = parsed({ networks: [{ mode: 'container/bridge' }] });
      const { container } = definition;
      if (!container) throw new Error('the app has no container');
      const mapping = { containerPort: 80, hostPort, servicePort: 0, protocol: 'tcp', labels: {} };
      return { ...definition, container: { ...container, portMappings: [mapping] } } as AppDefinition;
    };
    expect(paths(mapped(0), mapped(8080))).toEqual(['container.portMappings']);
  });
});
