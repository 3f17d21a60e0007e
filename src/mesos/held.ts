/**
 * Amounts of resources that differ in reservations and volumes. The key of an amount is the name of an unreserved
 * resource, or the name with reservations and disk, so that reserved resources never mix with others.
 */

import { canonicalJson } from '../json.ts';
import { type Amounts, amountsOf, contains, fromMilli } from './resources.ts';
import type { DiskInfo, ReservationInfo, Resource } from './types.ts';

/** What distinguishes resources besides the amount. */
interface Kind {
  readonly name: string;
  /** The last one counts. */
  readonly reservations: readonly ReservationInfo[];
  readonly disk?: DiskInfo;
}

/** Converts the older form, with `role` and `reservation`, to a stack of reservations. */
export function reservationsOf({ reservations, reservation, role = '*' }: Resource): ReservationInfo[] {
  if (reservations && reservations.length > 0) return reservations;
  if (role === '*') return [];
  return [reservation ? { type: 'DYNAMIC', role, ...reservation } : { type: 'STATIC', role }];
}

function keyOf(resource: Resource): string {
  const reservations = reservationsOf(resource);
  const { name, disk } = resource;
  if (reservations.length === 0 && disk === undefined) return name;
  return `${name}\0${canonicalJson({ reservations, ...(disk && { disk }) })}`;
}

function kindOf(key: string): Kind {
  const [name = '', more] = key.split('\0');
  if (more === undefined) return { name, reservations: [] };
  return { name, ...(JSON.parse(more) as Omit<Kind, 'name'>) };
}

/** Sums resources by kind. */
export function heldAmounts(resources: readonly Resource[]): Amounts {
  return amountsOf(resources.map((one) => ({ ...one, name: keyOf(one) })));
}

/** Sums all kinds by name. */
export function plainAmounts(held: Amounts): Amounts {
  return amountsOf(
    fromHeld(held).map(({ name, type, scalar, ranges }) => ({
      name,
      type,
      ...(scalar && { scalar }),
      ...(ranges && { ranges }),
    })),
  );
}

/** True if `total` has at least `part`. A volume, and a disk of type MOUNT, can only be used as a whole. */
export function containsHeld(total: Amounts, part: Amounts): boolean {
  if (!contains(total, part)) return false;
  for (const [key, milli] of part.scalars) {
    const { persistence, source } = kindOf(key).disk ?? {};
    const isWhole = persistence !== undefined || source?.type === 'MOUNT';
    if (milli > 0 && isWhole && total.scalars.get(key) !== milli) return false;
  }
  return true;
}

/** Keeps the kinds for which `wanted` returns true. */
export function filterHeld(held: Amounts, wanted: (kind: Kind) => boolean): Amounts {
  const keep = ([key]: [string, unknown]) => wanted(kindOf(key));
  return { scalars: new Map([...held.scalars].filter(keep)), ranges: new Map([...held.ranges].filter(keep)) };
}

/** True if a framework of this role may be offered these resources. A role can use reservations of its parents. */
export function isOfferable({ reservations }: Kind, role: string, refined: boolean): boolean {
  const reservedFor = reservations.at(-1)?.role;
  if (reservations.length > 1 && !refined) return false;
  return reservedFor === undefined || reservedFor === role || role.startsWith(`${reservedFor}/`);
}

/** Converts amounts to resources with a stack of reservations: ranges, then scalars, as in a master's offers. */
export function fromHeld(held: Amounts): Resource[] {
  const out: Resource[] = [];
  for (const [key, range] of held.ranges) {
    const { name, ...identity } = kindOf(key);
    if (range.length > 0)
      out.push({ name, type: 'RANGES', ranges: { range: [...range] }, ...stackOf(identity) });
  }
  for (const [key, milli] of held.scalars) {
    const { name, ...identity } = kindOf(key);
    if (milli !== 0)
      out.push({ name, type: 'SCALAR', scalar: { value: fromMilli(milli) }, ...stackOf(identity) });
  }
  return out;
}

function stackOf({ reservations, disk }: Omit<Kind, 'name'>): Pick<Resource, 'reservations' | 'disk'> {
  return { ...(reservations.length > 0 && { reservations: [...reservations] }), ...(disk && { disk }) };
}

/** Writes a resource as a framework without RESERVATION_REFINEMENT reads it: with `role` and `reservation`. */
export function toOlderForm({ reservations = [], ...rest }: Resource): Resource {
  const top = reservations.at(-1);
  if (!top) return { ...rest, role: '*' };
  const { type, role = '*', ...reservation } = top;
  return { ...rest, role, ...(type === 'DYNAMIC' && { reservation }) };
}

/** Writes a resource as the operator's API does: with both forms. */
export function toEndpointForm(resource: Resource): Resource {
  const { reservations } = resource;
  return { ...toOlderForm(resource), ...(reservations && { reservations }) };
}

/** The resource without its last reservation. */
export function withoutReservation(resource: Resource): Resource {
  const { reservations: _, reservation: __, role: ___, ...rest } = resource;
  const left = reservationsOf(resource).slice(0, -1);
  return { ...rest, ...(left.length > 0 && { reservations: left }) };
}

/** The disk of a volume, without the volume. */
export function withoutVolume({ disk, ...rest }: Resource): Resource {
  return { ...rest, ...(disk?.source && { disk: { source: disk.source } }) };
}
