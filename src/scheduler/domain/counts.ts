/** Maintains the counters of an app's tasks. The cost of an update does not depend on the number of tasks and apps. */

import { countMissing } from './rollout.ts';
import type { AppRecord, State } from './state.ts';
import { isCounted, isEnding, isReady, type Task } from './task.ts';

/** Adds a task to its app's counters or removes it. Call it before and after each change to the task. */
export function updateCounts(record: AppRecord, task: Task, by: 1 | -1): void {
  if (!isCounted(task)) return;
  record.counted += by;
  if (isEnding(task)) record.ending += by;
  if (task.leaving) record.leaving += by;
  count(record.perAgent, task.agentId, by);
  if (task.leaving || task.configVersion !== record.active?.configVersion) return;
  record.current += by;
  for (const [field, value] of Object.entries(task.fields ?? {})) countField(record, field, value, by);
  if (isReady(task)) record.ready += by;
}

function countField({ perField }: AppRecord, field: string, value: string, by: number): void {
  const counts = perField.get(field) ?? new Map<string, number>();
  count(counts, value, by);
  if (counts.size > 0) perField.set(field, counts);
  else perField.delete(field);
}

export function count<K>(counts: Map<K, number>, key: K, by: number): void {
  const value = (counts.get(key) ?? 0) + by;
  if (value > 0) counts.set(key, value);
  else counts.delete(key);
}

/** Makes a definition the active one. */
export function activate(record: AppRecord, app: AppRecord['active']): void {
  for (const task of record.tasks.values()) updateCounts(record, task, -1);
  if (app) record.active = app;
  else delete record.active;
  for (const task of record.tasks.values()) updateCounts(record, task, 1);
}

/**
 * Updates whether the app is waiting, may launch, or must be settled. Call it after every change to its tasks, and
 * after other changes that may affect this.
 */
export function refresh(state: State, record: AppRecord | undefined, now: number): void {
  if (!record) return;
  record.revision += 1;
  const { id } = record.app;
  const couldLaunch = state.ready.has(id);
  refreshDemand(state, record, now);
  if (state.ready.has(id) !== couldLaunch) state.demandChanged = true;
}

function refreshDemand(state: State, record: AppRecord, now: number): void {
  const { id } = record.app;
  const before = record.missing;
  record.missing = countMissing(record);
  if (record.deploymentId !== undefined) state.unsettledDeployments.add(record.deploymentId);
  const { counted, current, ending, active } = record;
  const excess = active?.mode === 'service' && current - ending > active.instances;
  if (counted > current || excess || record.deploymentId !== undefined) state.unsettledApps.add(id);
  if (record.missing === 0) {
    state.waiting.delete(id);
    state.ready.delete(id);
    record.refusals.clear();
    delete record.offerCounts;
    delete record.waitingSince;
    delete record.refusedOperation;
    return;
  }
  // A daemon is never waiting: it runs on the agents that exist.
  if (active?.mode !== 'daemon') {
    record.waitingSince ??= now;
    state.waiting.add(id);
  }
  if (record.delay && record.delay.until > now) {
    state.ready.delete(id);
    return;
  }
  if (!state.ready.has(id) || record.missing > before) state.offersWanted = true;
  state.ready.add(id);
}
