/** Whether a saved plan still says what is to be done, and if not, what has changed since. */

import type { HostPlan, Plan, PlanItem } from './plan.ts';

/** One line each; none: the plan can be applied. @param fresh made just now from the same cluster */
export function driftBetween(saved: Plan, fresh: Plan): string[] {
  return saved.hosts.flatMap((host) => {
    const now = fresh.hosts.find((h) => h.host === host.host);
    if (!now) return [`${host.host}: it can't be asked now`];
    return now.basis === host.basis ? [] : hostDrift(host, now);
  });
}

function hostDrift(saved: HostPlan, fresh: HostPlan): string[] {
  const lines = [
    ...fresh.items.filter((item) => !has(saved, item)).map((item) => `now also: ${item.title}`),
    ...saved.items.filter((item) => !has(fresh, item)).map((item) => `no longer: ${item.title}`),
  ];
  const changes = lines.length > 0 ? lines : ['it is another than it was, though the same is to be done'];
  return changes.map((line) => `${saved.host}: ${line}`);
}

function has(plan: HostPlan, item: PlanItem): boolean {
  return plan.items.some(
    (other) =>
      other.id === item.id && other.action === item.action && other.diff.join('\n') === item.diff.join('\n'),
  );
}

/** Hosts where tasks would end, with how many: what `--allow-agent-replace` allows. */
export function endingTasks(plan: Plan): { readonly host: string; readonly item: PlanItem }[] {
  return plan.hosts.flatMap(({ host, items }) =>
    items
      .filter((item) => item.endsTasks !== undefined && item.endsTasks !== 0)
      .map((item) => ({ host, item })),
  );
}

/** How many things are to be done. */
export function changesIn(plan: Plan): number {
  return plan.hosts.reduce((sum, host) => sum + host.items.length, 0);
}
