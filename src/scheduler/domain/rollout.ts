/**
 * How many instances of an app may run, and must be of use, while old ones are replaced by new ones. Source of the
 * rules: Marathon's RestartApplication; what it did once at the beginning and then step by step is here one rule for
 * every moment, so that it holds as well after a restart or a change of mind.
 */

import type { App } from './app.ts';
import type { AppRecord } from './state.ts';
import { isKillable, isReady, type Task } from './task.ts';

type Goal = Pick<App, 'instances' | 'upgradeStrategy' | 'mode'>;

/** Fewer instances of use than this there must not be because of a deployment. */
export function minHealthy({ instances, upgradeStrategy }: Goal): number {
  return Math.ceil(instances * upgradeStrategy.minimumHealthCapacity);
}

/** More instances than this there must not be. One more than asked for, where otherwise nothing could ever move. */
export function maxCapacity(goal: Goal): number {
  const most = Math.floor(goal.instances * (1 + goal.upgradeStrategy.maximumOverCapacity));
  return Math.max(most, minHealthy(goal) + 1);
}

/** How many tasks of its active definition an app lacks at the moment, as far as it may launch them. */
export function countMissing(record: AppRecord): number {
  const { active, counted, current, frozen, succeeded } = record;
  if (!active) return 0;
  switch (active.mode) {
    case 'job':
      return Math.max(0, active.instances - succeeded - counted);
    case 'daemon':
      // As many as there are agents; only their offers tell.
      return frozen ? 0 : Number.MAX_SAFE_INTEGER;
    case 'service': {
      const rolls = counted > current && !frozen;
      const capacity = rolls ? maxCapacity(active) : active.instances;
      return Math.max(0, Math.min(active.instances - current, capacity - counted));
    }
  }
}

/** Whether the app is what its active definition wants: no old instance is left, and the new ones are of use. */
export function isRolledOut(record: AppRecord): boolean {
  const { active, counted, current, ending, ready, succeeded } = record;
  if (!active) return false;
  if (counted > current || ending > 0) return false;
  switch (active.mode) {
    case 'job':
      return succeeded >= active.instances;
    case 'daemon':
      return ready === current;
    case 'service':
      return ready === active.instances && current === active.instances;
  }
}

/** The tasks that are to end now, so that the app comes nearer to its active definition. */
export function selectExcess(record: AppRecord): Task[] {
  const { active } = record;
  if (!active) return [];
  const alive = [...record.tasks.values()].filter(isKillable);
  const current = alive.filter((task) => task.configVersion === active.configVersion);
  const surplus =
    active.mode === 'service' ? selectForKill(current, current.length - active.instances, active) : [];
  if (record.frozen || current.length === alive.length) return surplus;
  const old = alive.filter((task) => task.configVersion !== active.configVersion);
  return [...surplus, ...selectOld(record, active, old, alive)];
}

function selectOld(record: AppRecord, active: App, old: readonly Task[], alive: readonly Task[]): Task[] {
  // A daemon's number of instances is that of the agents it is on.
  const instances = active.mode === 'daemon' ? record.perAgent.size : active.instances;
  const goal: Goal = { ...active, instances };
  const healthy = alive.filter(isReady).length;
  const unhealthyFirst = [
    ...old.filter((task) => !isReady(task)),
    ...selectForKill(old.filter(isReady), old.length, active),
  ];
  const spare = healthy - minHealthy(goal);
  if (spare > 0) return unhealthyFirst.slice(0, spare);
  // Nothing of use can be spared. What is of no use gives way where there is no room for a new one beside it.
  const room = maxCapacity(goal) - record.counted;
  if (room > 0 || record.current >= instances) return [];
  return unhealthyFirst.slice(0, 1).filter((task) => !isReady(task));
}

/** So many tasks, in the order in which the app wants them to go; those of no use first. */
function selectForKill(tasks: readonly Task[], howMany: number, { killSelection }: App): Task[] {
  if (howMany <= 0) return [];
  const sign = killSelection === 'OLDEST_FIRST' ? 1 : -1;
  return tasks
    .toSorted(
      (a, b) =>
        Number(isReady(a)) - Number(isReady(b)) ||
        sign * (a.launchedAt - b.launchedAt || (a.id < b.id ? -1 : 1)),
    )
    .slice(0, howMany);
}
