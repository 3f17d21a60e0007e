/** The indexes that are kept over an app's tasks. Their upkeep costs the same however many tasks and apps there are. */

import { countMissing } from './rollout.ts';
import type { AppRecord, State } from './state.ts';
import { isCounted, isReady, type Task } from './task.ts';

/** Adds or takes away one task from its app's counts; called on both sides of a change to the task. */
export function tally(record: AppRecord, task: Task, by: 1 | -1): void {
  if (!isCounted(task)) return;
  record.counted += by;
  if (task.killedAt !== undefined) record.ending += by;
  count(record.perAgent, task.agentId, by);
  if (task.configVersion !== record.active?.configVersion) return;
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

/** Makes a definition the one that is run. */
export function activate(record: AppRecord, app: AppRecord['active']): void {
  for (const task of record.tasks.values()) tally(record, task, -1);
  if (app) record.active = app;
  else delete record.active;
  for (const task of record.tasks.values()) tally(record, task, 1);
}

/**
 * Whether the app waits, and may launch, and what is to be looked at; called after every change to its tasks, and
 * whatever else could have changed that.
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
    return;
  }
  // A daemon is never said to wait: it takes what agents there are.
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
