/**
 * The shared executor takes resources of its own, which are part of its ExecutorInfo, and the ExecutorInfo must be the
 * same for all tasks of an executor. Usually the resources are unreserved; if an agent offers none, or the app accepts
 * none, they come from a reservation, and the executor gets another id.
 */

import { canonicalJson } from '../../../json.ts';
import { amountsOf } from '../../../mesos/resources.ts';
import type { Resource } from '../../../mesos/types.ts';
import type { Scalars } from '../../domain/placement.ts';
import type { Settings } from '../../domain/settings.ts';
import { type Pool, UNRESERVED } from './pools.ts';

export interface ExecutorKind {
  /** The executor id without the slot number. */
  readonly prefix: string;
  readonly resources: readonly Resource[];
  readonly cost: Scalars;
  /** The pool for a new executor; undefined if the offer has no such resources. */
  readonly pool: Pool | undefined;
}

/** Derives the kinds from an offer. The kind without reservations comes first: it is the same on all agents. */
export function executorKinds(pools: readonly Pool[], { dockerExecutor }: Settings): ExecutorKind[] {
  const { info, idPrefix } = dockerExecutor;
  const resources = info.resources ?? [];
  const cost = costOf(resources);
  const unreserved = pools.find(({ role }) => role === UNRESERVED);
  const kinds: ExecutorKind[] = [{ prefix: idPrefix, resources, cost, pool: unreserved }];
  for (const pool of pools) {
    if (pool.role === UNRESERVED) continue;
    const own = resources.map(({ name, type, scalar }): Resource => {
      return { name, type, ...(scalar && { scalar }), ...pool.identity };
    });
    kinds.push({ prefix: `${idPrefix}-${fingerprint(canonicalJson(own))}`, resources: own, cost, pool });
  }
  return kinds;
}

function costOf(resources: readonly Resource[]): Scalars {
  const { scalars } = amountsOf(resources);
  return {
    cpus: scalars.get('cpus') ?? 0,
    mem: scalars.get('mem') ?? 0,
    disk: scalars.get('disk') ?? 0,
    gpus: scalars.get('gpus') ?? 0,
  };
}

/** FNV-1a. Deterministic, and sufficient to distinguish the few kinds on an agent. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
