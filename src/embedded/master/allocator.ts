/**
 * Decides which resources are offered to which framework. All free resources of an agent that it may use go to one framework, in the
 * order of the dominant shares of roles and, within a role, of frameworks (the largest share of any one resource of the
 * cluster). Frameworks that refused them recently are skipped. Pure.
 */

import { filterHeld, isOfferable, plainAmounts } from '../../mesos/held.ts';
import { type Amounts, contains, subtract } from '../../mesos/resources.ts';

/** A framework refused these resources of an agent, for a role and a limited time. */
export interface Refusal {
  role: string;
  amounts: Amounts;
  /** Milliseconds since the epoch. */
  until: number;
}

export interface AllocatableAgent {
  id: string;
  available: Amounts;
}

export interface AllocatableFramework {
  id: string;
  /** Roles that want offers. */
  roles: readonly string[];
  /** Resources of its tasks, executors and offers, by role; scalars in thousandths. */
  held: ReadonlyMap<string, ReadonlyMap<string, number>>;
  refusals: ReadonlyMap<string, readonly Refusal[]>;
  /** True if it understands resources with several reservations. */
  refined?: boolean;
  /** True if the framework wants offers of this agent for a role. Default: always true. */
  wants?: (role: string, agentId: string) => boolean;
}

export interface Grant {
  frameworkId: string;
  agentId: string;
  role: string;
  amounts: Amounts;
}

/** `min_allocatable_resources`, `cpus:0.01|mem:32`: no offer if both are below the minimum. In thousandths. */
const MIN_CPUS = 10;
const MIN_MEM = 32_000;

function allocatable(held: Amounts): boolean {
  const amounts = plainAmounts(held);
  return (amounts.scalars.get('cpus') ?? 0) >= MIN_CPUS || (amounts.scalars.get('mem') ?? 0) >= MIN_MEM;
}

/** True if the framework refused at least these resources before. */
function isRefused(
  refusals: readonly Refusal[] | undefined,
  role: string,
  offered: Amounts,
  now: number,
): boolean {
  return refusals?.some((r) => r.role === role && r.until > now && contains(r.amounts, offered)) ?? false;
}

interface Candidate {
  framework: AllocatableFramework;
  role: string;
  /** Resources of the framework for this role, in thousandths. */
  held: Map<string, number>;
}

/**
 * @param total scalars of the cluster, in thousandths
 * @param now milliseconds since the epoch
 */
export function allocate(
  agents: readonly AllocatableAgent[],
  frameworks: readonly AllocatableFramework[],
  total: ReadonlyMap<string, number>,
  now: number,
): Grant[] {
  const candidates: Candidate[] = frameworks.flatMap((framework) =>
    framework.roles.map((role) => ({ framework, role, held: new Map(framework.held.get(role)) })),
  );
  const roleHeld = new Map<string, Map<string, number>>();
  for (const framework of frameworks) {
    for (const [role, held] of framework.held) addTo(mapAt(roleHeld, role), held);
  }
  const grants: Grant[] = [];
  for (const { id: agentId, available } of agents) {
    // What is reserved for another role than the first one's is offered to a further framework.
    for (let left = available; allocatable(left); ) {
      const grant = chooseFramework(agentId, left);
      if (!grant) break;
      grants.push(grant);
      left = withoutEmpty(subtract(left, grant.amounts));
    }
  }
  return grants;

  function chooseFramework(agentId: string, left: Amounts): Grant | undefined {
    const order = [...candidates].sort(
      (a, b) =>
        dominantShare(roleHeld.get(a.role), total) - dominantShare(roleHeld.get(b.role), total) ||
        dominantShare(a.held, total) - dominantShare(b.held, total),
    );
    for (const { framework, role, held } of order) {
      if (!(framework.wants?.(role, agentId) ?? true)) continue;
      const amounts = filterHeld(left, (kind) => isOfferable(kind, role, framework.refined ?? false));
      if (!allocatable(amounts) || isRefused(framework.refusals.get(agentId), role, amounts, now)) continue;
      const { scalars } = plainAmounts(amounts);
      addTo(mapAt(roleHeld, role), scalars);
      addTo(held, scalars);
      return { frameworkId: framework.id, agentId, role, amounts };
    }
    return undefined;
  }
}

function withoutEmpty({ scalars, ranges }: Amounts): Amounts {
  return {
    scalars: new Map([...scalars].filter(([, milli]) => milli !== 0)),
    ranges: new Map([...ranges].filter(([, some]) => some.length > 0)),
  };
}

/** Computes the largest share of any resource of `total` that is in `held`. */
function dominantShare(
  held: ReadonlyMap<string, number> | undefined,
  total: ReadonlyMap<string, number>,
): number {
  let share = 0;
  for (const [name, amount] of held ?? []) {
    const sum = total.get(name) ?? 0;
    if (sum > 0) share = Math.max(share, amount / sum);
  }
  return share;
}

function mapAt(maps: Map<string, Map<string, number>>, key: string): Map<string, number> {
  const found = maps.get(key);
  if (found) return found;
  const created = new Map<string, number>();
  maps.set(key, created);
  return created;
}

function addTo(sum: Map<string, number>, more: ReadonlyMap<string, number>): void {
  for (const [name, amount] of more) sum.set(name, (sum.get(name) ?? 0) + amount);
}
