/** Compares a saved plan with a fresh plan. */

import type { HostPlan, Plan, PlanItem } from './plan.ts';

/**
 * @param fresh plan made now from the same cluster
 * @returns one line for each difference; none if the saved plan can be applied
 */
export function driftBetween(saved: Plan, fresh: Plan): string[] {
  return saved.hosts.flatMap((host) => {
    const now = fresh.hosts.find((h) => h.host === host.host);
    if (!now) return [`${host.host}: the host is unreachable, or its address is unknown`];
    return now.basis === host.basis ? [] : hostDrift(host, now);
  });
}

function hostDrift(saved: HostPlan, fresh: HostPlan): string[] {
  const lines = [
    ...fresh.items.filter((item) => !has(saved, item)).map((item) => `now also: ${item.title}`),
    ...saved.items.filter((item) => !has(fresh, item)).map((item) => `no longer: ${item.title}`),
  ];
  const changes = lines.length > 0 ? lines : ['the state of the host has changed, but the plan is the same'];
  return changes.map((line) => `${saved.host}: ${line}`);
}

function has(plan: HostPlan, item: PlanItem): boolean {
  return plan.items.some(
    (other) =>
      other.id === item.id && other.action === item.action && other.diff.join('\n') === item.diff.join('\n'),
  );
}

/** Lists the items that end tasks, which need `--allow-agent-replace`. */
export function endingTasks(plan: Plan): { readonly host: string; readonly item: PlanItem }[] {
  return plan.hosts.flatMap(({ host, items }) =>
    items
      .filter((item) => item.endsTasks !== undefined && item.endsTasks !== 0)
      .map((item) => ({ host, item })),
  );
}

/** Counts the changes of a plan. */
export function changesIn(plan: Plan): number {
  return plan.hosts.reduce((sum, host) => sum + host.items.length, 0);
}
