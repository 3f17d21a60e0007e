/**
 * Computes how many instances of an app may run, and must be ready, while new instances replace old ones. Source of the
 * rules: Marathon's RestartApplication. Marathon applies them once at the beginning and then step by step; here one
 * rule applies at every moment, so that it also holds after a restart of the scheduler or another change of the app.
 */

import type { App } from './app.ts';
import { isResident } from './residency.ts';
import type { AppRecord } from './state.ts';
import { isKillable, isReady, type Task } from './task.ts';

type Goal = Pick<App, 'instances' | 'upgradeStrategy' | 'mode' | 'container'>;

/** @returns the minimum number of ready instances during a deployment */
export function minHealthy(goal: Goal): number {
  const { instances, upgradeStrategy } = goal;
  const least = Math.ceil(instances * upgradeStrategy.minimumHealthCapacity);
  // The new instance needs the volumes of an old one, which must end first.
  return isResident(goal) ? Math.min(least, Math.max(0, instances - 1)) : least;
}

/**
 * @returns the maximum number of instances; at least one more than `minHealthy`, or the deployment could not progress
 */
export function maxCapacity(goal: Goal): number {
  if (isResident(goal)) return goal.instances;
  const most = Math.floor(goal.instances * (1 + goal.upgradeStrategy.maximumOverCapacity));
  return Math.max(most, minHealthy(goal) + 1);
}

/**
 * True if an instance may be replaced on another agent before it ends. An instance with persistent volumes is bound to
 * its agent, and a job would begin again.
 */
export function canMove(app: Goal): boolean {
  return app.mode !== 'job' && !isResident(app);
}

/** @returns how many tasks of its active definition the app may launch now */
export function countMissing(record: AppRecord): number {
  const { active, counted, current, frozen, succeeded } = record;
  if (!active) return 0;
  switch (active.mode) {
    case 'job':
      return Math.max(0, active.instances - succeeded - counted);
    case 'daemon':
      // One for each agent; the number of agents only shows in offers.
      return frozen ? 0 : Number.MAX_SAFE_INTEGER;
    case 'service': {
      // Beside these tasks, new ones may run; a cancelled deployment replaces only those on draining agents.
      const replaced = frozen ? record.leaving : counted - current;
      const capacity = Math.min(maxCapacity(active), active.instances + replaced);
      return Math.max(0, Math.min(active.instances - current, capacity - counted));
    }
  }
}

/** True if no old instances are left, and all instances of the active definition are ready. */
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

/** Selects the tasks to kill now, to bring the app closer to its active definition. */
export function selectExcess(record: AppRecord): Task[] {
  const { active } = record;
  if (!active) return [];
  const alive = [...record.tasks.values()].filter(isKillable);
  const current = alive.filter((task) => !task.leaving && task.configVersion === active.configVersion);
  const surplus =
    active.mode === 'service' ? selectForKill(current, current.length - active.instances, active) : [];
  const isOld = (task: Task) =>
    task.leaving || (!record.frozen && task.configVersion !== active.configVersion);
  const old = alive.filter(isOld);
  if (old.length === 0) return surplus;
  return [...surplus, ...selectOld(record, active, old, alive)];
}

function selectOld(record: AppRecord, active: App, old: readonly Task[], alive: readonly Task[]): Task[] {
  // A daemon runs once on each agent: nothing replaces it elsewhere.
  const daemons = active.mode === 'daemon' ? old.filter(({ leaving }) => leaving) : [];
  if (daemons.length > 0) return daemons;
  // A daemon has as many instances as agents that run it.
  const instances = active.mode === 'daemon' ? record.perAgent.size : active.instances;
  const goal: Goal = { ...active, instances };
  const healthy = alive.filter(isReady).length;
  const unhealthyFirst = [
    ...old.filter((task) => !isReady(task)),
    ...selectForKill(old.filter(isReady), old.length, active),
  ];
  const spare = healthy - minHealthy(goal);
  if (spare > 0) return unhealthyFirst.slice(0, spare);
  // No ready task can be spared. A task that is not ready is killed if there is no capacity for a new one beside it.
  const room = maxCapacity(goal) - record.counted;
  if (room > 0 || record.current >= instances) return [];
  return unhealthyFirst.slice(0, 1).filter((task) => !isReady(task));
}

/** Selects tasks in the order of the app's killSelection; tasks that are not ready come first. */
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
