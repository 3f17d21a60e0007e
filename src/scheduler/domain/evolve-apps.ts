import type { App } from './app.ts';
import { servicePortsOf } from './app.ts';
import { ancestorsOf } from './app-id.ts';
import { activate, count, refresh } from './counts.ts';
import type { RestoredApp } from './events.ts';
import { leaveAll } from './evolve-reservations.ts';
import type { Group } from './group.ts';
import { type AppRecord, orphansKey, type State } from './state.ts';

/** Number of definitions kept for each app. */
const MAX_VERSIONS = 20;

export function changeApp(state: State, app: App, at: number): void {
  const known = state.apps.get(app.id);
  if (!known) {
    state.runs += 1;
    addRecord(state, {
      versions: [app],
      run: state.runs,
      changedAt: at,
      launches: 0,
      succeeded: 0,
      frozen: false,
    });
    return;
  }
  countPorts(state, known.app, -1);
  known.app = app;
  known.revision += 1;
  countPorts(state, app, 1);
  known.changedAt = at;
  known.versions.push(app);
  if (known.versions.length > MAX_VERSIONS) known.versions.shift();
}

export function removeApp(state: State, appId: string, at: number): void {
  const record = state.apps.get(appId);
  if (!record) return;
  // A draining task is killed at the end of its drain.
  for (const task of record.tasks.values()) if (task.drainUntil === undefined) task.killedAt ??= at;
  leaveAll(state, record.reservations.values());
  const { size } = record.tasks;
  if (size > 0) state.orphans.set(orphansKey({ appId, run: record.run }), size);
  countPorts(state, record.app, -1);
  countMember(state, appId, -1);
  state.apps.delete(appId);
  state.changedBy.delete(appId);
  state.waiting.delete(appId);
  if (state.ready.delete(appId)) state.demandChanged = true;
  state.unsettledApps.delete(appId);
}

export function restoreApp(state: State, { active, ...restored }: RestoredApp): void {
  const record = addRecord(state, restored);
  if (!record) return;
  if (active) activate(record, active);
  if (restored.lastFailure) record.lastFailure = restored.lastFailure;
  refresh(state, record, restored.changedAt);
}

type New = Omit<RestoredApp, 'active' | 'lastFailure'>;

function addRecord(state: State, { versions, ...more }: New): AppRecord | undefined {
  const app = versions.at(-1);
  if (!app) return undefined;
  const record: AppRecord = {
    app,
    ...more,
    revision: 0,
    versions: [...versions],
    tasks: new Map(),
    reservations: new Map(),
    counted: 0,
    ending: 0,
    leaving: 0,
    current: 0,
    ready: 0,
    missing: 0,
    perAgent: new Map(),
    perField: new Map(),
    refusals: new Map(),
  };
  state.runs = Math.max(state.runs, record.run);
  state.apps.set(app.id, record);
  countMember(state, app.id, 1);
  countPorts(state, app, 1);
  return record;
}

function countPorts(state: State, app: App, by: number): void {
  for (const port of servicePortsOf(app)) count(state.servicePorts, port, by);
}

export function changeGroup(state: State, group: Group): void {
  if (!state.groups.has(group.id)) countMember(state, group.id, 1);
  state.groups.set(group.id, group);
}

export function removeGroup(state: State, groupId: string): void {
  if (state.groups.delete(groupId)) countMember(state, groupId, -1);
}

function countMember(state: State, id: string, by: number): void {
  for (const group of ancestorsOf(id)) count(state.members, group, by);
}
