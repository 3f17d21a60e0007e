import { describe, expect, it } from 'vitest';
import { containsHeld, heldAmounts } from './held.ts';
import type { DiskInfo } from './types.ts';

function amounts(value: number, disk?: DiskInfo) {
  return heldAmounts([{ name: 'disk', type: 'SCALAR', scalar: { value }, ...(disk && { disk }) }]);
}

describe('a part of a disk', () => {
  const path: DiskInfo = { source: { type: 'PATH', path: { root: '/d' } } };
  const mount: DiskInfo = { source: { type: 'MOUNT', mount: { root: '/m' } } };
  const volume: DiskInfo = { persistence: { id: 'v' }, volume: { mode: 'RW', container_path: 'c' } };

  it.each([
    ['of the work directory can be used', undefined, 5, true],
    ['of type PATH can be used', path, 5, true],
    ['of type MOUNT can only be used as a whole', mount, 5, false],
    ['of type MOUNT can be used as a whole', mount, 10, true],
    ['that is a volume can only be used as a whole', volume, 5, false],
    ['of type PATH that is larger is not contained', path, 11, false],
  ])('%s', (_, disk, part, contained) => {
    expect(containsHeld(amounts(10, disk), amounts(part, disk))).toBe(contained);
  });

  it('of another disk is not contained', () => {
    expect(containsHeld(amounts(10, path), amounts(5))).toBe(false);
    expect(containsHeld(amounts(10), amounts(5, path))).toBe(false);
  });
});
