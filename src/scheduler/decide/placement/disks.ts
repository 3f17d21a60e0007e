/** Chooses disks for persistent volumes of the types path and mount. Source: Marathon's ResourceMatcher. */

import { fromMilli, toMilli } from '../../../mesos/resources.ts';
import type { Offer, Resource } from '../../../mesos/types.ts';
import type { PersistentVolume } from '../../domain/residency.ts';
import { instanceOf, reservedRole, UNRESERVED } from './pools.ts';

/** Lists the unreserved disks of an offer other than the disk of the agent's work directory. */
export function freeDisks({ resources }: Offer): Resource[] {
  return resources.filter(
    (one) =>
      one.name === 'disk' &&
      one.disk?.source !== undefined &&
      one.disk.persistence === undefined &&
      one.revocable === undefined &&
      reservedRole(one) === UNRESERVED &&
      instanceOf(one) === undefined,
  );
}

/** Disks for the volumes of an instance. */
export interface DiskChoice {
  /** One for each volume, in order. */
  readonly chosen: readonly Resource[];
  /** What is left of all disks. */
  readonly left: readonly Resource[];
}

/** Chooses the smallest disk that is large enough for each volume. @returns undefined if there are not enough */
export function chooseDisks(
  disks: readonly Resource[],
  volumes: readonly PersistentVolume[],
): DiskChoice | undefined {
  let left = disks;
  const chosen: Resource[] = [];
  for (const volume of volumes) {
    const fitting = left.filter((disk) => fits(disk, volume)).sort((a, b) => sizeOf(a) - sizeOf(b));
    const [best] = fitting;
    if (!best) return undefined;
    chosen.push(best);
    left = takeDisk(left, best, volume);
  }
  return { chosen, left };
}

/** A disk of type mount is used as a whole, and of another one only the size of the volume. */
function takeDisk(disks: readonly Resource[], disk: Resource, volume: PersistentVolume): Resource[] {
  return disks.flatMap((one) => {
    if (one !== disk) return [one];
    const left = toMilli(sizeOf(one)) - toMilli(volume.persistent.size);
    return volume.persistent.type === 'mount' || left <= 0
      ? []
      : [{ ...one, scalar: { value: fromMilli(left) } }];
  });
}

/** @returns the part of a disk that a volume uses */
export function partOf(disk: Resource, { persistent }: PersistentVolume): Resource {
  return persistent.type === 'mount' ? disk : { ...disk, scalar: { value: persistent.size } };
}

function sizeOf({ scalar }: Resource): number {
  return scalar?.value ?? 0;
}

function fits(disk: Resource, { persistent }: PersistentVolume): boolean {
  const { type, size, maxSize = Infinity, constraints } = persistent;
  const source = disk.disk?.source;
  if (source?.type !== type.toUpperCase() || sizeOf(disk) < size) return false;
  if (type === 'mount' && sizeOf(disk) > maxSize) return false;
  const root = (type === 'mount' ? source.mount?.root : source.path?.root) ?? '';
  return constraints.every(([, operator, pattern = '']) => {
    const matches = new RegExp(`^(?:${pattern})$`).test(root);
    return operator === 'LIKE' ? matches : !matches;
  });
}
