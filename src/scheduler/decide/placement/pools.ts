/** Groups the resources of an offer by reservation. */

import { canonicalJson } from '../../../json.ts';
import { fromMilli, normalizeRanges, subtractRanges, toMilli } from '../../../mesos/resources.ts';
import type { Labels, Offer, Range, Resource } from '../../../mesos/types.ts';
import { SCALARS, type Scalars } from '../../domain/placement.ts';

export const UNRESERVED = '*';

/** The remaining resources of an offer that differ only in name and amount. */
export interface Pool {
  /** The role it is reserved for, or `*`. */
  readonly role: string;
  /** Reservation and allocation, unchanged from the offer: Mesos would treat anything else as a different resource. */
  readonly identity: Omit<Resource, 'name' | 'type' | 'scalar' | 'ranges' | 'set'>;
  readonly scalars: Scalars;
  ports: readonly Range[];
}

/** Sorts reserved resources first, since no other framework can use them. */
export function poolsOf(offer: Offer, role: string): Pool[] {
  const pools = new Map<string, Pool>();
  for (const resource of offer.resources) {
    if (instanceOf(resource) !== undefined) continue;
    const { name, type, scalar, ranges, set: _set, ...identity } = resource;
    const reservedFor = reservedRole(resource);
    if (!isUsable(resource) || !isOurs(reservedFor, role)) continue;
    const key = reservedFor === UNRESERVED ? UNRESERVED : canonicalJson(identity);
    const pool: Pool = pools.get(key) ?? { role: reservedFor, identity, scalars: noScalars(), ports: [] };
    pools.set(key, pool);
    const scalarName = SCALARS.find((one) => one === name);
    if (type === 'SCALAR' && scalarName) pool.scalars[scalarName] += toMilli(scalar?.value ?? 0);
    if (type === 'RANGES' && name === 'ports') {
      pool.ports = normalizeRanges([...pool.ports, ...(ranges?.range ?? [])]);
    }
  }
  return [...pools.values()].sort((a, b) => Number(a.role === UNRESERVED) - Number(b.role === UNRESERVED));
}

/** @returns the role a resource is reserved for, in either of Mesos' two formats */
export function reservedRole({ reservations, role }: Resource): string {
  return reservations?.at(-1)?.role ?? role ?? UNRESERVED;
}

const FRAMEWORK_LABEL = 'marathon_framework_id';
/** Marathon's name, although it holds the id of an instance. */
const INSTANCE_LABEL = 'marathon_task_id';

/** The labels of a reservation, with Marathon's names. */
export function reservationLabels(frameworkId: string, instanceId: string): Labels {
  return {
    labels: [
      { key: FRAMEWORK_LABEL, value: frameworkId },
      { key: INSTANCE_LABEL, value: instanceId },
    ],
  };
}

/** @returns the instance that resources are reserved for, by any framework that uses these labels */
export function instanceOf(resource: Resource): string | undefined {
  const labels = (resource.reservations?.at(-1) ?? resource.reservation)?.labels?.labels ?? [];
  return labels.find(({ key }) => key === INSTANCE_LABEL)?.value;
}

/** Excludes volumes, special disks and revocable resources. */
function isUsable({ type, disk, revocable, shared }: Resource): boolean {
  return type !== 'SET' && disk === undefined && revocable === undefined && shared === undefined;
}

/** A role can use resources reserved for its parent roles. */
function isOurs(reservedFor: string, role: string): boolean {
  return reservedFor === UNRESERVED || reservedFor === role || role.startsWith(`${reservedFor}/`);
}

export function noScalars(): Scalars {
  return { cpus: 0, mem: 0, disk: 0, gpus: 0 };
}

export function sum(pools: readonly Pool[], name: keyof Scalars): number {
  let total = 0;
  for (const { scalars } of pools) total += scalars[name];
  return total;
}

/** Takes amounts and ports out of the pools, in their order. @returns them as resources of a task */
export function takeResources(pools: readonly Pool[], wanted: Scalars, ports: readonly number[]): Resource[] {
  const drawn: Resource[] = [];
  for (const name of SCALARS) {
    let left = wanted[name];
    for (const { scalars, identity } of pools) {
      const part = Math.min(left, scalars[name]);
      if (part <= 0) continue;
      scalars[name] -= part;
      left -= part;
      drawn.push({ name, type: 'SCALAR', scalar: { value: fromMilli(part) }, ...identity });
    }
  }
  let open = normalizeRanges(ports.map((port) => ({ begin: port, end: port })));
  for (const pool of pools) {
    if (open.length === 0) break;
    const rest = subtractRanges(pool.ports, open);
    const range = subtractRanges(pool.ports, rest);
    if (range.length === 0) continue;
    pool.ports = rest;
    open = subtractRanges(open, range);
    drawn.push({ name: 'ports', type: 'RANGES', ranges: { range }, ...pool.identity });
  }
  return drawn;
}
