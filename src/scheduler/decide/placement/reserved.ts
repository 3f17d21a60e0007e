/** The resources of an offer that are reserved for instances with persistent volumes. */

import type { Offer, Resource } from '../../../mesos/types.ts';
import type { Reservation } from '../../domain/reservation.ts';
import type { State } from '../../domain/state.ts';
import { instanceOf } from './pools.ts';

/**
 * Groups the reserved resources of an offer by known instance. The framework in their labels is not compared: volumes
 * outlive a framework that the master has removed, and its successor continues with them.
 */
export function reservedIn(
  offer: Offer,
  { reservations }: Pick<State, 'reservations'>,
): Map<string, Resource[]> {
  const found = new Map<string, Resource[]>();
  for (const resource of offer.resources) {
    const id = instanceOf(resource);
    if (id === undefined || !reservations.has(id)) continue;
    found.set(id, [...(found.get(id) ?? []), resource]);
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
