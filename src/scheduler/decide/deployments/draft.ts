/** Applies changes to a draft of the apps and groups, before anything is decided. */

import type { App } from '../../domain/app.ts';
import { absoluteId, findIdProblem, isWithin, parentOf, ROOT } from '../../domain/app-id.ts';
import { type AppDefinition, appSchema } from '../../domain/app-schema.ts';
import { fieldErrors } from '../../domain/field-errors.ts';
import type { Group } from '../../domain/group.ts';
import { renameLegacyFields } from '../../domain/legacy-fields.ts';
import type { State } from '../../domain/state.ts';
import type { Change, GroupTree, Refusal } from '../inputs.ts';

/** The requested definition of an app. */
export interface DraftApp {
  readonly definition: AppDefinition;
  readonly api: App['api'];
  /** Replaces all tasks even if the definition did not change. */
  readonly restart?: true;
  /** The earlier configuration that is restored: tasks that still run with it are not replaced. */
  readonly restored?: Pick<App, 'configVersion' | 'containerizer'>;
}

/** Changed apps and groups by id; `null` if removed. */
export interface Draft {
  readonly apps: Map<string, DraftApp | null>;
  readonly groups: Map<string, Omit<Group, 'version'> | null>;
}

/** A change is refused, and the draft is discarded. */
class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.type);
    this.refusal = refusal;
  }
}

/** Applies changes in order. */
export function draftChanges(state: State, changes: readonly Change[]): Draft | Refusal {
  const draft: Draft = { apps: new Map(), groups: new Map() };
  try {
    for (const change of changes) apply(state, draft, change);
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
      draft.apps.set(change.app.id, { definition: resolveDependencies(change.app), api: change.api });
      return;
    case 'update':
      update(state, draft, change);
      return;
    case 'scale':
      updateDraft(draft, findExisting(state, draft, change.appId), { instances: change.instances });
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
      draft.apps.set(appId, { definition: definitionOf(found), api: app.api });
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
        updateDraft(draft, app, { instances: Math.ceil(app.definition.instances * change.by) });
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

function update(state: State, draft: Draft, change: Extract<Change, { op: 'update' }>): void {
  const { appId, fields, partial, upsert } = change;
  const known = findApp(state, draft, appId);
  if (!known && !upsert) refuse({ type: 'unknown_app', appId });
  if (!known) checkId(appId);
  const sent = renameLegacyFields(fields) as Record<string, unknown>;
  const base = partial && known ? { ...known.definition } : {};
  // cmd and args replace each other.
  if ('cmd' in sent && !('args' in sent)) delete (base as Partial<AppDefinition>).args;
  if ('args' in sent && !('cmd' in sent)) delete (base as Partial<AppDefinition>).cmd;
  for (const [name, value] of Object.entries(fields)) {
    if (value === null) delete (base as Record<string, unknown>)[name];
  }
  if (!('networks' in sent) && 'container' in sent) delete (base as Partial<AppDefinition>).networks;
  const definition = resolveDependencies(parseDefinition({ ...base, ...sent, id: appId }));
  draft.apps.set(appId, { definition, api: known?.api ?? 'v2' });
}

function putGroup(state: State, draft: Draft, group: GroupTree): void {
  if (group.id !== ROOT) checkId(group.id);
  const named = new Set<string>();
  if (group.apps) {
    for (const fields of group.apps) {
      const appId = absoluteId(String(fields.id ?? ''), group.id);
      named.add(appId);
      update(state, draft, { op: 'update', appId, fields, partial: false, upsert: true });
    }
    for (const id of appsWithin(state, draft, group.id)) {
      if (parentOf(id) === group.id && !named.has(id)) draft.apps.set(id, null);
    }
  }
  if (group.groups) {
    const kept = group.groups.map(({ id }) => id);
    for (const id of [...state.groups.keys()]) {
      if (isWithin(id, group.id) && !kept.some((one) => one === id || isWithin(id, one)))
        draft.groups.set(id, null);
    }
    for (const id of appsWithin(state, draft, group.id)) {
      if (parentOf(id) !== group.id && !kept.some((one) => isWithin(id, one))) draft.apps.set(id, null);
    }
    for (const inner of group.groups) putGroup(state, draft, inner);
  }
  const { id, dependencies } = group;
  const known = state.groups.get(id)?.dependencies ?? [];
  // An unchanged group is left out.
  if (!groupExists(state, id) || dependencies.join() !== known.join()) {
    draft.groups.set(id, { id, dependencies });
  }
}

function removeWithin(state: State, draft: Draft, groupId: string): void {
  for (const id of appsWithin(state, draft, groupId)) draft.apps.set(id, null);
  for (const id of state.groups.keys()) if (isWithin(id, groupId)) draft.groups.set(id, null);
}

function rollBack(state: State, draft: Draft, deploymentId: string): void {
  const record = state.deployments.get(deploymentId);
  if (!record) refuse({ type: 'unknown_deployment', deploymentId });
  for (const { id, app } of record.deployment.before.apps) {
    draft.apps.set(id, app ? { definition: definitionOf(app), api: app.api, restored: app } : null);
  }
  for (const { id, group } of record.deployment.before.groups) draft.groups.set(id, group ?? null);
}

/** @returns the app without the fields that the scheduler adds */
export function definitionOf(app: App): AppDefinition {
  const { api: _api, version: _version, configVersion: _config, scaleVersion: _scale, ...rest } = app;
  const { containerizer: _containerizer, ...definition } = rest;
  return definition;
}

/** Makes the dependencies absolute; relative ids start at the app's group. */
function resolveDependencies(definition: AppDefinition): AppDefinition {
  const { id, dependencies } = definition;
  if (dependencies.length === 0) return definition;
  return { ...definition, dependencies: dependencies.map((one) => absoluteId(one, parentOf(id))) };
}

function findApp(state: State, draft: Draft, id: string): DraftApp | undefined {
  const drafted = draft.apps.get(id);
  if (drafted !== undefined) return drafted ?? undefined;
  const app = state.apps.get(id)?.app;
  return app && { definition: definitionOf(app), api: app.api };
}

function findExisting(state: State, draft: Draft, appId: string): DraftApp {
  return findApp(state, draft, appId) ?? refuse({ type: 'unknown_app', appId });
}

/** Overwrites some fields of a drafted app. */
function updateDraft(draft: Draft, app: DraftApp, more: Partial<AppDefinition>): void {
  const definition = { ...app.definition, ...more };
  draft.apps.set(definition.id, { ...app, definition });
}

function appsWithin(state: State, draft: Draft, groupId: string): string[] {
  const drafted = [...draft.apps].flatMap(([id, app]) => (app ? [id] : []));
  const known = [...state.apps.keys()].filter((id) => !draft.apps.has(id));
  return [...known, ...drafted].filter((id) => isWithin(id, groupId));
}

function groupExists(state: State, id: string): boolean {
  if (id === ROOT || state.groups.has(id)) return true;
  return [...state.apps.keys(), ...state.groups.keys()].some((one) => isWithin(one, id));
}

function checkId(id: string): void {
  const problem = findIdProblem(id);
  if (problem !== undefined) refuse({ type: 'invalid', errors: [{ path: ['id'], error: problem }] });
}

function parseDefinition(sent: Record<string, unknown>): AppDefinition {
  const result = appSchema.safeParse(sent);
  if (result.success) return result.data;
  return refuse({ type: 'invalid', errors: fieldErrors(result.error) });
}

function refuse(refusal: Refusal): never {
  throw new RefusedError(refusal);
}
