/** Applies changes to a draft of the apps and groups, before anything is decided. */

import { type App, definitionOf } from '../../domain/app.ts';
import { absoluteId, ancestorsOf, findIdProblem, isWithin, parentOf, ROOT } from '../../domain/app-id.ts';
import type { AppDefinition } from '../../domain/app-schema.ts';
import type { FieldError, FieldPath } from '../../domain/field-errors.ts';
import type { Group } from '../../domain/group.ts';
import { findSingleInstanceProblems } from '../../domain/single-instance.ts';
import type { State } from '../../domain/state.ts';
import type { Change, GroupTree, Refusal } from '../inputs.ts';
import { findIdConflicts } from './draft-ids.ts';
import {
  findGroupSelfDependencies,
  findSelfDependencies,
  resolveDependencies,
  updateDefinition,
} from './draft-update.ts';

/** The requested definition of an app. */
export interface DraftApp {
  readonly definition: AppDefinition;
  readonly api: App['api'];
  /** Fields of the definition that have no effect. */
  readonly warnings: readonly FieldError[];
  /** Replaces all tasks even if the definition did not change. */
  readonly restart?: true;
  /** The earlier configuration that is restored: tasks that still run with it are not replaced. */
  readonly restored?: Pick<App, 'configVersion' | 'containerizer' | 'sandboxVolumes'>;
}

/** Changed apps and groups by id; `null` if removed. */
export interface Draft {
  readonly apps: Map<string, DraftApp | null>;
  readonly groups: Map<string, Omit<Group, 'version'> | null>;
  /** Where the request defines an app or group. */
  readonly paths: Map<string, FieldPath>;
  readonly problems: FieldError[];
}

/** A change is refused, and the draft is discarded. */
class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.type);
    this.refusal = refusal;
  }
}

/** Applies changes in order. A draft with problems must be refused. */
export function draftChanges(state: State, changes: readonly Change[]): Draft | Refusal {
  const draft: Draft = { apps: new Map(), groups: new Map(), paths: new Map(), problems: [] };
  try {
    for (const change of changes) apply(state, draft, change);
    if (changes.some(({ op }) => op === 'roll_back')) return draft;
    for (const { id, error } of findIdConflicts(state, draft)) {
      report(draft, draft.paths.get(id) ?? [], [{ path: ['id'], error }]);
    }
    return draft;
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal;
    throw error;
  }
}

function apply(state: State, draft: Draft, change: Change): void {
  switch (change.op) {
    case 'create':
      if (findApp(state, draft, change.app.id)) refuse({ type: 'exists', appId: change.app.id });
      create(draft, change);
      return;
    case 'update':
      update(state, draft, change, change.path);
      return;
    case 'scale':
      scaleDraft(draft, findExisting(state, draft, change.appId), change.instances, 'instances');
      return;
    case 'restart': {
      const app = findExisting(state, draft, change.appId);
      draft.apps.set(change.appId, { ...app, restart: true });
      return;
    }
    case 'revert': {
      const app = findExisting(state, draft, change.appId);
      const { appId, version } = change;
      const found = state.apps.get(appId)?.versions.find((one) => one.version === version);
      if (!found) refuse({ type: 'unknown_version', appId, version });
      draft.apps.set(appId, draftOf(found, app.api));
      return;
    }
    case 'remove':
      findExisting(state, draft, change.appId);
      draft.apps.set(change.appId, null);
      return;
    case 'put_group':
      if (change.mustBeNew && groupExists(state, change.group.id)) {
        refuse({ type: 'exists', appId: change.group.id });
      }
      putGroup(state, draft, change.group);
      return;
    case 'scale_group':
      if (!groupExists(state, change.groupId)) refuse({ type: 'unknown_group', groupId: change.groupId });
      for (const id of appsWithin(state, draft, change.groupId)) {
        const app = findExisting(state, draft, id);
        scaleDraft(draft, app, Math.ceil(app.definition.instances * change.by), 'scaleBy');
      }
      return;
    case 'remove_group':
      if (!groupExists(state, change.groupId)) refuse({ type: 'unknown_group', groupId: change.groupId });
      removeWithin(state, draft, change.groupId);
      if (change.groupId !== ROOT) draft.groups.set(change.groupId, null);
      return;
    case 'roll_back':
      rollBack(state, draft, change.deploymentId);
      return;
  }
}

function create(draft: Draft, { app, api, warnings = [] }: Extract<Change, { op: 'create' }>): void {
  const definition = resolveDependencies(app);
  report(draft, [], findSelfDependencies(definition));
  draft.apps.set(app.id, { definition, api, warnings });
}

function update(
  state: State,
  draft: Draft,
  change: Extract<Change, { op: 'update' }>,
  path: FieldPath = [],
): void {
  const { appId, upsert } = change;
  const known = findApp(state, draft, appId);
  if (!known && !upsert) refuse({ type: 'unknown_app', appId });
  draft.paths.set(appId, path);
  if (!known) checkId(draft, appId, path);
  const read = updateDefinition(change, known?.definition);
  if ('errors' in read) {
    report(draft, path, read.errors);
    return;
  }
  const kept = change.partial ? (known?.warnings ?? []) : [];
  const warnings = [...kept.filter((one) => !(String(one.path[0]) in change.fields)), ...read.warnings];
  draft.apps.set(appId, { definition: read.definition, api: known?.api ?? 'v2', warnings });
}

function putGroup(state: State, draft: Draft, group: GroupTree, path: FieldPath = []): void {
  const { id, apps, groups } = group;
  draft.paths.set(id, path);
  if (id !== ROOT) checkId(draft, id, path);
  if (apps) {
    const named = new Set<string>();
    for (const [i, fields] of apps.entries()) {
      const at = [...path, 'apps', i];
      const appId = absoluteId(String(fields.id), id);
      if (isMember(draft, appId, id, named, at)) {
        update(state, draft, { op: 'update', appId, fields, partial: false, upsert: true }, at);
      }
    }
    for (const appId of appsWithin(state, draft, id)) {
      if (parentOf(appId) === id && !named.has(appId)) draft.apps.set(appId, null);
    }
  }
  if (groups) {
    const kept = new Set(groups.map((one) => one.id));
    const isKept = (one: string) => ancestorsOf(one).some((group) => kept.has(group));
    for (const groupId of [...state.groups.keys()]) {
      if (isWithin(groupId, id) && !kept.has(groupId) && !isKept(groupId)) draft.groups.set(groupId, null);
    }
    for (const appId of appsWithin(state, draft, id)) {
      if (parentOf(appId) !== id && !isKept(appId)) draft.apps.set(appId, null);
    }
    const named = new Set<string>();
    for (const [i, inner] of groups.entries()) {
      const at = [...path, 'groups', i];
      if (isMember(draft, inner.id, id, named, at)) putGroup(state, draft, inner, at);
    }
  }
  const known = state.groups.get(id)?.dependencies ?? [];
  const dependencies = group.dependencies ?? known;
  if (dependencies.join() !== known.join()) report(draft, path, findGroupSelfDependencies(id, dependencies));
  // An unchanged group is left out.
  if (!groupExists(state, id) || dependencies.join() !== known.join()) {
    draft.groups.set(id, { id, dependencies });
  }
}

/** Requires that an app or group is directly in the group that lists it, and is listed once. */
function isMember(draft: Draft, id: string, group: string, named: Set<string>, path: FieldPath): boolean {
  const error =
    parentOf(id) !== group || id === group
      ? `is ${id}, which is not directly in the group ${group}`
      : `is ${id}, which the list has already`;
  const isOne = id !== group && parentOf(id) === group && !named.has(id);
  if (!isOne) report(draft, path, [{ path: ['id'], error }]);
  named.add(id);
  return isOne;
}

function removeWithin(state: State, draft: Draft, groupId: string): void {
  for (const id of appsWithin(state, draft, groupId)) draft.apps.set(id, null);
  for (const id of state.groups.keys()) if (isWithin(id, groupId)) draft.groups.set(id, null);
}

function rollBack(state: State, draft: Draft, deploymentId: string): void {
  const record = state.deployments.get(deploymentId);
  if (!record) refuse({ type: 'unknown_deployment', deploymentId });
  for (const { id, app } of record.deployment.before.apps) {
    draft.apps.set(id, app ? { ...draftOf(app, app.api), restored: app } : null);
  }
  for (const { id, group } of record.deployment.before.groups) draft.groups.set(id, group ?? null);
}

function draftOf(app: App, api: App['api']): DraftApp {
  return { definition: definitionOf(app), api, warnings: app.warnings ?? [] };
}

function findApp(state: State, draft: Draft, id: string): DraftApp | undefined {
  const drafted = draft.apps.get(id);
  if (drafted !== undefined) return drafted ?? undefined;
  const app = state.apps.get(id)?.app;
  return app && draftOf(app, app.api);
}

function findExisting(state: State, draft: Draft, appId: string): DraftApp {
  return findApp(state, draft, appId) ?? refuse({ type: 'unknown_app', appId });
}

/** @param field of the request that sets the number of instances */
function scaleDraft(draft: Draft, app: DraftApp, instances: number, field: string): void {
  const definition = { ...app.definition, instances };
  if (instances > app.definition.instances) {
    for (const { path, message } of findSingleInstanceProblems(definition)) {
      if (path[0] !== 'instances') continue;
      report(
        draft,
        [],
        [{ path: [field], error: `makes ${instances} instances of ${definition.id}, which ${message}` }],
      );
    }
  }
  draft.apps.set(definition.id, { ...app, definition });
}

function appsWithin(state: State, draft: Draft, groupId: string): string[] {
  const known = hasMembers(state, groupId) ? [...state.apps.keys()] : [];
  const found = known.filter((id) => isWithin(id, groupId) && !draft.apps.has(id));
  for (const [id, app] of draft.apps) if (app && isWithin(id, groupId)) found.push(id);
  return found;
}

function groupExists(state: State, id: string): boolean {
  return id === ROOT || state.groups.has(id) || hasMembers(state, id);
}

function hasMembers({ members }: State, groupId: string): boolean {
  return (members.get(groupId) ?? 0) > 0;
}

function checkId(draft: Draft, id: string, path: FieldPath): void {
  const problem = findIdProblem(id);
  if (problem !== undefined) report(draft, path, [{ path: ['id'], error: problem }]);
}

/** @param path the app or group with the problems */
function report(draft: Draft, path: FieldPath, problems: readonly FieldError[]): void {
  for (const one of problems) draft.problems.push({ ...one, path: [...path, ...one.path] });
}

function refuse(refusal: Refusal): never {
  throw new RefusedError(refusal);
}
