/** Gives back the resources of reservations that are to be removed: DESTROY deletes the data, UNRESERVE the rest. */

import type { OfferOperation, Resource } from '../../../mesos/types.ts';
import type { StateEvent } from '../../domain/events.ts';
import { operationId } from '../../domain/reservation.ts';
import type { State } from '../../domain/state.ts';
import type { Bin } from './bin.ts';
import { reservedIn, volumeIdOf } from './reserved.ts';

/** Time until an operation is reported or its failure is noticed. Until then it is not repeated. */
export const REMOVAL_RETRY_MS = 20_000;

/** Adds the operations to the bin. Volumes in use are never offered, so none of them is destroyed. */
export function giveBack(state: State, bin: Bin, now: number): StateEvent[] {
  if (state.reservations.size === 0) return [];
  const events: StateEvent[] = [];
  for (const [id, resources] of reservedIn(bin.offer, state)) {
    const reservation = state.reservations.get(id);
    if (!reservation?.leaving || (reservation.retryAt ?? 0) > now) continue;
    bin.operations.push(...removal(id, resources, now));
    events.push({ type: 'removal_postponed', reservationId: id, until: now + REMOVAL_RETRY_MS });
    events.push({
      type: 'timer_set',
      at: now + REMOVAL_RETRY_MS,
      timer: { kind: 'removal', reservationId: id, connection: state.connection },
    });
  }
  return events;
}

function removal(id: string, resources: readonly Resource[], now: number): OfferOperation[] {
  const volumes = resources.filter((one) => volumeIdOf(one) !== undefined);
  const bare = resources.map(({ disk, ...rest }) => ({
    ...rest,
    ...(disk?.source && { disk: { source: disk.source } }),
  }));
  const named = (name: 'destroy' | 'unreserve') => ({ id: { value: operationId(name, id, now) } });
  return [
    ...(volumes.length > 0 ? [{ type: 'DESTROY' as const, ...named('destroy'), destroy: { volumes } }] : []),
    { type: 'UNRESERVE', ...named('unreserve'), unreserve: { resources: bare } },
  ];
}
