/** Turns a change of apps and groups into a deployment, or into the reason for its refusal. */

import { canonicalJson } from '../../../json.ts';
import { type App, definitionOf } from '../../domain/app.ts';
import { parentOf, ROOT } from '../../domain/app-id.ts';
import type { AppDefinition } from '../../domain/app-schema.ts';
import { nextContainerizer } from '../../domain/containerizer.ts';
import type { Action, Deployment } from '../../domain/deployment.ts';
import type { StateEvent } from '../../domain/events.ts';
import type { FieldError } from '../../domain/field-errors.ts';
import { findReservedChanges } from '../../domain/residency.ts';
import { keptVolumes, nextSandboxVolumes } from '../../domain/sandbox-volumes.ts';
import type { Settings } from '../../domain/settings.ts';
import { SHARE_LABEL } from '../../domain/share-label.ts';
import type { State } from '../../domain/state.ts';
import { isKillable } from '../../domain/task.ts';
import { uuidOf } from '../../domain/uuid.ts';
import type { Call, Change, ChangeInput, Decision, DeploymentPlan, Refusal, Reply } from '../inputs.ts';
import { findRoleProblem } from '../placement/want.ts';
import { endTasks } from '../tasks/ending.ts';
import { findForbidden } from '../tasks/forbidden.ts';
import { findLaunchProblem, formOf } from '../tasks/form.ts';
import { findUnusedFields } from '../tasks/unsupported-fields.ts';
import { type Draft, type DraftApp, draftChanges } from './draft.ts';
import { findNameProblem, withNetworkNames } from './network-names.ts';
import { refusalText } from './refusal-text.ts';
import { assignServicePorts } from './service-ports.ts';
import { orderSteps, type Tree } from './steps.ts';

/** @param failed id of the deployment that this change rolls back, and that ends with the events of the caller */
export function planChange(state: State, input: ChangeInput, now: number, failed?: string): Decision {
  const decision = plan(state, input, now, failed);
  const { reply, events } = decision;
  if (input.dryRun || reply === undefined) return decision;
  return { ...decision, events: [announce(input, reply, events, now), ...events] };
}

function announce(
  { changes, client }: ChangeInput,
  reply: Reply,
  events: readonly StateEvent[],
  at: number,
): StateEvent {
  const groupIds = [...new Set(changes.map(groupOf))];
  if (reply.type !== 'deployed') {
    return { type: 'change_refused', at, groupIds, reason: refusalText(reply) };
  }
  return {
    type: 'change_accepted',
    deploymentId: reply.plan.id,
    version: reply.plan.version,
    at,
    groupIds,
    apps: events.flatMap((event) => (event.type === 'app_changed' ? [event.app] : [])),
    isEmpty: !events.some(({ type }) => type === 'deployment_started'),
    ...(client && { client }),
  };
}

/** @returns the group that a change concerns; for an app, the group that contains it */
function groupOf(change: Change): string {
  if ('appId' in change) return parentOf(change.appId);
  switch (change.op) {
    case 'create':
      return parentOf(change.app.id);
    case 'put_group':
      return change.group.id;
    case 'scale_group':
    case 'remove_group':
      return change.groupId;
    case 'roll_back':
      return ROOT;
  }
}

function plan(state: State, input: ChangeInput, now: number, failed?: string): Decision {
  const outdated = input.expected && findOutdated(state, input.expected);
  if (outdated) return refuseChange(outdated);
  const draft = draftChanges(state, input.changes);
  if ('type' in draft) return refuseChange(draft);
  const { apps, actions, problems } = checkDraft(state, draft, input, now);
  if (problems.length > 0) return refuseChange({ type: 'invalid', errors: problems });
  const ordered = orderSteps(actions, treeOf(state, draft));
  if ('cycle' in ordered) {
    const error = `form a cycle through ${ordered.cycle}`;
    const path = [...(draft.paths.get(ordered.cycle) ?? []), 'dependencies'];
    return refuseChange({ type: 'invalid', errors: [{ path, error }] });
  }
  const undone = input.changes.flatMap((one) => (one.op === 'roll_back' ? one.deploymentId : []))[0];
  const rollbackOf = failed ?? undone;
  const locks = findLocks(state, actions, rollbackOf);
  if (locks.length > 0 && !input.force) return refuseChange({ type: 'locked', deploymentIds: locks });
  const version = apps[0]?.version ?? isoOf(now);
  const planned: DeploymentPlan = {
    id: uuidOf(now, state.deploymentCount + 1, DEPLOYMENT_ID_SPACE),
    version,
    steps: ordered.steps,
  };
  const reply = { type: 'deployed', plan: planned } as const;
  const nothing = actions.length === 0 && draft.groups.size === 0;
  if (input.dryRun) return { events: [], calls: [], reply: { ...reply, drafted: apps } };

  const replaced = failed === undefined && undone !== undefined ? [...locks, undone] : locks;
  const superseded = replaced.map((deploymentId): StateEvent => {
    const reason = `replaced by deployment ${planned.id}`;
    return { type: 'deployment_ended', deploymentId, outcome: 'superseded', at: now, reason };
  });
  if (nothing) return { events: superseded, calls: [], reply };
  const stopped = stopApps(state, actions, now);
  const events: StateEvent[] = [...superseded, ...stopped.events];
  for (const [groupId, group] of draft.groups) {
    events.push(
      group ? { type: 'group_changed', group: { ...group, version } } : { type: 'group_removed', groupId },
    );
  }
  for (const app of apps) events.push({ type: 'app_changed', app, at: now });
  if (actions.length === 0) return { events, calls: [], reply };
  const deployment: Deployment = {
    ...planned,
    steps: ordered.steps,
    startedAt: now,
    appIds: actions.map(({ appId }) => appId),
    before: recordBefore(state, actions, draft),
    ...(rollbackOf !== undefined && { rollbackOf }),
  };
  events.push({ type: 'deployment_started', deployment });
  const deadline = deadlineTimer(deployment, apps, now);
  if (deadline) events.push(deadline);
  return { events, calls: stopped.calls, reply };
}

function findOutdated(
  { apps, changedBy }: State,
  { appId, version }: NonNullable<ChangeInput['expected']>,
): Refusal | undefined {
  const record = apps.get(appId);
  if (!record) return { type: 'unknown_app', appId };
  const { app, changedAt: at } = record;
  if (app.version === version) return undefined;
  const by = changedBy.get(appId);
  const user = by?.version === app.version ? { user: by.user } : {};
  return { type: 'outdated', appId, version: app.version, at, ...user };
}

/** Keeps the ids of deployments distinct from those of instances. */
const DEPLOYMENT_ID_SPACE = 0xde_00_00_00;

interface CheckedDraft {
  readonly apps: App[];
  readonly actions: Action[];
  /** If there are any, the draft must be refused. */
  readonly problems: FieldError[];
}

/** Validates the drafted apps against the cluster, and determines the action for each. */
function checkDraft(state: State, draft: Draft, { changes, seed }: ChangeInput, now: number): CheckedDraft {
  const problems = [...draft.problems];
  const apps: App[] = [];
  const actions: Action[] = [];
  const at = versionTime(state, draft, now);
  const isBack = changes.some(({ op }) => op === 'roll_back');
  const assigned = new Set<number>();
  const inUse = {
    settings: state.settings,
    isTaken: (port: number) => assigned.has(port) || state.servicePorts.has(port),
  };
  for (const [appId, drafted] of draft.apps) {
    const known = state.apps.get(appId);
    if (!drafted) {
      if (known) actions.push({ type: 'stop', appId, run: known.run });
      continue;
    }
    const before = known?.app;
    const path = draft.paths.get(appId) ?? [];
    const named = withNetworkNames(drafted.definition, state.settings);
    // What ran before a deployment was accepted then, perhaps by an earlier release.
    const misnamed = isBack ? undefined : findNameProblem(named, before);
    if (misnamed) problems.push({ ...misnamed, path: [...path, ...misnamed.path] });
    const definition = assignServicePorts(named, before, inUse, seed);
    if (!definition) {
      problems.push({ path: [...path, 'ports'], error: noPortLeftText(state) });
      continue;
    }
    const versions = known?.versions ?? [];
    const app = versionOf({ ...drafted, definition }, versions, isoOf(at), state.settings);
    const { settings } = state;
    const action = actionFor(app, before);
    // An app that a later policy forbids can still be made smaller, or get another share of the requests.
    const shrinks = action === 'scale' && app.instances <= (before?.instances ?? 0);
    const problem =
      (shrinks ? undefined : findForbidden(app, formOf(app, settings), settings)) ??
      (isBack ? undefined : findNewProblem(app, before, settings)) ??
      findReservedChange(definition, before);
    if (problem) problems.push({ ...problem, path: [...path, ...problem.path] });
    if (!action) continue;
    actions.push({ type: action, appId });
    apps.push(app);
    for (const { port } of app.portDefinitions) assigned.add(port);
    for (const { servicePort } of app.container?.portMappings ?? []) assigned.add(servicePort);
  }
  return { apps, actions, problems };
}

/**
 * Finds a problem of a launch, unless the app has had it before, in a field that stays: releases before this one accepted
 * it, and it must not prevent other changes.
 */
function findNewProblem(app: App, before: App | undefined, settings: Settings): FieldError | undefined {
  for (const find of [findLaunchProblem, findRoleProblem]) {
    const found = find(app, settings);
    if (!found) continue;
    const known = before && find(before, settings);
    const field = String(found.path[0]) as keyof App;
    const isKnown =
      before &&
      canonicalJson(known) === canonicalJson(found) &&
      canonicalJson(app[field]) === canonicalJson(before[field]);
    if (!isKnown) return found;
  }
  return undefined;
}

/** An instance runs in the resources that were reserved for it, so they can't change. */
function findReservedChange(after: AppDefinition, before: App | undefined): FieldError | undefined {
  if (!before) return undefined;
  for (const { path, message } of findReservedChanges(before, after)) return { path, error: message };
  return undefined;
}

function actionFor(app: App, before: App | undefined): Action['type'] | undefined {
  if (!before) return 'start';
  if (app.configVersion !== before.configVersion) return 'restart';
  // Other warnings are a new version too, so that the app shows them.
  const isSame =
    app.instances === before.instances &&
    app.labels[SHARE_LABEL] === before.labels[SHARE_LABEL] &&
    hasSameWarnings(app, before);
  return isSame ? undefined : 'scale';
}

function hasSameWarnings({ warnings = [] }: App, before: App): boolean {
  return canonicalJson(warnings) === canonicalJson(before.warnings ?? []);
}

/** @returns a time later than all versions of the changed apps */
function versionTime(state: State, draft: Draft, now: number): number {
  let time = now;
  for (const id of draft.apps.keys()) {
    const last = state.apps.get(id)?.versions.at(-1);
    if (last) time = Math.max(time, Date.parse(last.version) + 1);
  }
  return time;
}

/**
 * Adds the versions to the app. A configuration that the app had before, without a restart since, keeps its
 * configVersion: tasks that still run with it need not be replaced.
 */
function versionOf(
  { definition, api, warnings, restart, restored }: DraftApp,
  versions: readonly App[],
  version: string,
  settings: Settings,
): App {
  const last = versions.at(-1);
  const config = configOf(definition, settings);
  const same = restart
    ? undefined
    : versions.findLast((one) => configOf(definitionOf(one), settings) === config);
  const earlier = restored ?? same;
  const configVersion = earlier?.configVersion ?? version;
  // Tasks of one configuration have one form.
  const containerizer = earlier
    ? earlier.containerizer
    : nextContainerizer(definition, api, last, settings.containerizer);
  const sandboxVolumes = earlier ? earlier.sandboxVolumes : nextSandboxVolumes(definition, last);
  const form = { ...definition, containerizer, sandboxVolumes };
  const derived = [...keptVolumes(form), ...findUnusedFields(form)];
  const all = [...warnings.filter((one) => !derived.some(({ error }) => error === one.error)), ...derived];
  const scaleVersion = last?.instances === definition.instances ? last.scaleVersion : version;
  return {
    ...definition,
    api,
    version,
    configVersion,
    scaleVersion,
    ...(containerizer && { containerizer }),
    ...(sandboxVolumes && { sandboxVolumes }),
    ...(all.length > 0 && { warnings: all }),
  };
}

/**
 * The share of an app in its deployment group is only for load balancers: tasks don't depend on it.
 *
 * An app that names no role has that of the scheduler, and is shown with it. Without the name of the only port of an app:
 * earlier releases did not fill it in.
 */
function configOf({ instances: _, ...rest }: AppDefinition, { role }: Settings): string {
  const { [SHARE_LABEL]: _share, ...labels } = rest.labels;
  const config = { ...rest, labels, role: rest.role ?? role };
  const [first, ...others] = config.portDefinitions;
  if (first?.name !== 'default' || others.length > 0) return canonicalJson(config);
  const { name: _name, ...port } = first;
  return canonicalJson({ ...config, portDefinitions: [port] });
}

function treeOf(state: State, draft: Draft): Tree {
  return {
    dependenciesOf: (id) =>
      draft.apps.get(id)?.definition.dependencies ?? state.apps.get(id)?.app.dependencies ?? [],
    groupDependenciesOf: (id) =>
      (draft.groups.has(id) ? draft.groups.get(id) : state.groups.get(id))?.dependencies ?? [],
    get appIds() {
      return [...new Set([...state.apps.keys(), ...draft.apps.keys()])];
    },
  };
}

/** @returns the running deployments that change one of these apps */
function findLocks(state: State, actions: readonly Action[], except: string | undefined): string[] {
  const ids = actions.flatMap(({ appId }) => state.apps.get(appId)?.deploymentId ?? []);
  return [...new Set(ids)].filter((id) => id !== except);
}

function stopApps(
  state: State,
  actions: readonly Action[],
  now: number,
): { events: StateEvent[]; calls: Call[] } {
  const events: StateEvent[] = [];
  const calls: Call[] = [];
  for (const { type, appId } of actions) {
    const record = state.apps.get(appId);
    if (type !== 'stop' || !record) continue;
    const ended = endTasks(state, [...record.tasks.values()].filter(isKillable), now);
    // Kill the tasks first: afterwards they belong to no app.
    events.push(...ended.events, { type: 'app_removed', appId, at: now });
    calls.push(...ended.calls);
  }
  return { events, calls };
}

function recordBefore(state: State, actions: readonly Action[], draft: Draft): Deployment['before'] {
  return {
    apps: actions.map(({ appId: id }) => {
      const record = state.apps.get(id);
      // The definition that was running, which may be older than the last requested one.
      const app = record?.active ?? record?.app;
      return { id, ...(app && { app }) };
    }),
    groups: [...draft.groups.keys()].map((id) => {
      const group = state.groups.get(id);
      return { id, ...(group && { group }) };
    }),
  };
}

/** Sets the timer for the progress deadline of a deployment: the shortest of its apps' deadlines. */
export function deadlineTimer(
  { id }: Pick<Deployment, 'id'>,
  apps: readonly App[],
  now: number,
): StateEvent | undefined {
  const seconds = deadlineOf(apps);
  if (seconds === undefined) return undefined;
  return { type: 'timer_set', at: now + seconds * 1000, timer: { kind: 'deadline', deploymentId: id } };
}

export function deadlineOf(apps: readonly App[]): number | undefined {
  const limits = apps.flatMap(({ progressDeadlineSeconds }) => progressDeadlineSeconds ?? []);
  return limits.length > 0 ? Math.min(...limits) : undefined;
}

function noPortLeftText({ settings: { localPortMin, localPortMax } }: State): string {
  return `no service port is free between ${localPortMin} and ${localPortMax}: remove an app, or widen the range with --local_port_min and --local_port_max`;
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}

function refuseChange(reply: Refusal): Decision {
  return { events: [], calls: [], reply };
}
