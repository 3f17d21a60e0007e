import { describe, expect, it } from 'vitest';
import type { Offer, Resource } from '../../../mesos/types.ts';
import type { PersistentVolume } from '../../domain/residency.ts';
import { chooseDisks, freeDisks, partOf } from './disks.ts';

function disk(type: 'PATH' | 'MOUNT', root: string, value: number, more: Partial<Resource> = {}): Resource {
  const source = { type, [type === 'PATH' ? 'path' : 'mount']: { root } };
  return { name: 'disk', type: 'SCALAR', scalar: { value }, disk: { source }, ...more };
}

function volume(persistent: Partial<PersistentVolume['persistent']>): PersistentVolume {
  const all = { type: 'path' as const, size: 10, constraints: [], ...persistent };
  return { containerPath: 'data', mode: 'RW', persistent: all };
}

/** The disks for the volumes. */
function choose(disks: Resource[], volumes: PersistentVolume[]) {
  return chooseDisks(disks, volumes)?.chosen;
}

const SMALL = disk('MOUNT', '/mnt/small', 20);
const LARGE = disk('MOUNT', '/mnt/large', 100);
const SHARED = disk('PATH', '/srv', 25);

it('only disks of their own that nobody has reserved or uses are free', () => {
  const resources: Resource[] = [
    SMALL,
    { name: 'disk', type: 'SCALAR', scalar: { value: 5 } },
    { name: 'cpus', type: 'SCALAR', scalar: { value: 5 } },
    disk('PATH', '/a', 5, { revocable: {} }),
    disk('PATH', '/b', 5, { reservations: [{ type: 'STATIC', role: 'other' }] }),
    { ...LARGE, disk: { ...LARGE.disk, persistence: { id: 'v' } } },
  ];
  expect(freeDisks({ resources } as Offer)).toEqual([SMALL]);
});

describe('each volume gets', () => {
  it('the smallest disk that is large enough, and a disk as a whole only once', () => {
    const whole = volume({ type: 'mount' });
    expect(choose([LARGE, SMALL], [whole])).toEqual([SMALL]);
    expect(choose([LARGE, SMALL], [whole, whole])).toEqual([SMALL, LARGE]);
    expect(chooseDisks([LARGE, SMALL], [whole, whole, whole])).toBeUndefined();
  });

  it('a part of a directory, as long as there is room', () => {
    const part = volume({ size: 10 });
    expect(choose([SHARED], [part, part])).toHaveLength(2);
    expect(chooseDisks([SHARED], [part, part, part])).toBeUndefined();
    expect(partOf(SHARED, part).scalar).toEqual({ value: 10 });
    expect(partOf(LARGE, volume({ type: 'mount' })).scalar).toEqual({ value: 100 });
  });

  it('no disk of another type, with another path, or larger than wanted', () => {
    expect(chooseDisks([SHARED], [volume({ type: 'mount' })])).toBeUndefined();
    expect(chooseDisks([LARGE], [volume({ type: 'mount', maxSize: 50 })])).toBeUndefined();
    const like = (operator: string, pattern: string) =>
      choose([SHARED], [volume({ constraints: [['path', operator, pattern]] })]);
    expect(like('LIKE', '/s.*')).toEqual([SHARED]);
    // The whole path must match.
    expect(like('LIKE', '/s')).toBeUndefined();
    expect(like('UNLIKE', '/s.*')).toBeUndefined();
    expect(like('UNLIKE', '/t.*')).toEqual([SHARED]);
  });
});

it('chosen disks are taken out, and what is left of a directory stays', () => {
  const volumes = [volume({ type: 'mount' }), volume({ size: 10 })];
  const left = chooseDisks([SMALL, LARGE, SHARED], volumes)?.left;
  expect(left).toEqual([LARGE, { ...SHARED, scalar: { value: 15 } }]);
  expect(chooseDisks([SHARED], [volume({ size: 25 })])?.left).toEqual([]);
  expect(chooseDisks([SHARED], [])?.left).toEqual([SHARED]);
});
