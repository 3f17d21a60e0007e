/** How full agents are (pure). */

import type { AgentsJson } from '../../scheduler/api/v2/agent-schemas.ts';

export type Agent = AgentsJson['agents'][number];

export const RESOURCES = ['cpus', 'mem', 'disk', 'gpus'] as const;
export type Resource = (typeof RESOURCES)[number];

/** Of 0 to 1: the resource that is used most, of CPUs and memory. Undefined if it is not known. */
export function fullnessOf({ total, used }: Agent): number | undefined {
  if (!total || !used) return undefined;
  const parts = (['cpus', 'mem'] as const).flatMap((name) =>
    total[name] > 0 ? [used[name] / total[name]] : [],
  );
  return parts.length === 0 ? undefined : Math.min(1, Math.max(...parts));
}

/** The sums of the agents whose resources are known, and how many are not. */
export function sumOf(
  agents: readonly Agent[],
  name: Resource,
): { readonly total: number; readonly used: number; readonly unknown: number } {
  const known = agents.filter((agent) => agent.total && agent.used);
  const sum = (amounts: 'total' | 'used') =>
    known.reduce((all, agent) => all + (agent[amounts]?.[name] ?? 0), 0);
  return { total: sum('total'), used: sum('used'), unknown: agents.length - known.length };
}

/** By host, then by id. */
export function byHost(agents: readonly Agent[]): Agent[] {
  return agents.toSorted((a, b) => a.host.localeCompare(b.host) || (a.id < b.id ? -1 : 1));
}
