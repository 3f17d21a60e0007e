/** The resources of an offer that are reserved for instances with persistent volumes. */

import type { Offer, Resource } from '../../../mesos/types.ts';
import type { Reservation } from '../../domain/reservation.ts';
import type { State } from '../../domain/state.ts';
import { instanceOf } from './pools.ts';

/** Groups the reserved resources of an offer by instance. Resources of other frameworks are left out. */
export function reservedIn(
  offer: Offer,
  { frameworkId }: Pick<State, 'frameworkId'>,
): Map<string, Resource[]> {
  const found = new Map<string, Resource[]>();
  for (const resource of offer.resources) {
    const owner = instanceOf(resource);
    if (owner === undefined || owner.frameworkId !== frameworkId) continue;
    found.set(owner.id, [...(found.get(owner.id) ?? []), resource]);
  }
  return found;
}

export function volumeIdOf({ disk }: Resource): string | undefined {
  return disk?.persistence?.id;
}

/** True if all volumes of the instance are among the resources. */
export function hasVolumes({ volumes }: Reservation, resources: readonly Resource[]): boolean {
  const ids = new Set(resources.map(volumeIdOf));
  return volumes.every(({ persistenceId }) => ids.has(persistenceId));
}
