/** Formats apps, tasks and groups for v2. Source: RAML and answers of Marathon 1.11. */

import { definitionOf, servicePortsOf } from '../../domain/app.ts';
import { parentOf, ROOT } from '../../domain/app-id.ts';
import { pathText } from '../../domain/field-errors.ts';
import type { Reservation } from '../../domain/reservation.ts';
import type { AppRecord, State, TaskFailure } from '../../domain/state.ts';
import { instanceIdOf, isCounted, type Task } from '../../domain/task.ts';
import { joined, type Paging, pickFields } from './answers.ts';
import type {
  AppJson,
  CountsJson,
  DefinitionJson,
  FailureJson,
  GroupJson,
  TaskJson,
  TaskStatsJson,
  WarningJson,
} from './app-schemas.ts';
import { healthOf, healthResults, readinessResults } from './check-views.ts';
import { newPart, type Part, partOf } from './parts.ts';

export type Embed =
  | 'tasks'
  | 'counts'
  | 'deployments'
  | 'readiness'
  | 'lastTaskFailure'
  | 'taskStats'
  | 'warnings';

/**
 * Formats an app's definition with its versions, as `versions/{v}` shows it.
 * @param role the scheduler's role, for apps that name none
 */
export function definitionJson(app: AppRecord['app'], role: string): DefinitionJson {
  const { mode, ...definition } = definitionOf(app);
  return {
    ...definition,
    role: app.role ?? role,
    // Only if needed, since some clients reject fields that Marathon doesn't have.
    ...(mode !== 'service' && { mode }),
    ...(app.containerizer && { containerizer: app.containerizer }),
    version: app.version,
    versionInfo: { lastScalingAt: app.scaleVersion, lastConfigChangeAt: app.configVersion },
  };
}

export function appJson(record: AppRecord, embeds: ReadonlySet<Embed>, role: string): AppJson {
  const { lastFailure, deploymentId } = record;
  return {
    ...definitionJson(record.app, role),
    ...(embeds.has('counts') && countsOf(record)),
    ...(embeds.has('deployments') && {
      deployments: deploymentId === undefined ? [] : [{ id: deploymentId }],
    }),
    ...(embeds.has('readiness') && {
      readinessCheckResults: deploymentId === undefined ? [] : readinessResults(record),
    }),
    ...(embeds.has('lastTaskFailure') &&
      lastFailure && { lastTaskFailure: failureJson(record, lastFailure) }),
    ...(embeds.has('tasks') && { tasks: tasksJson(record) }),
    ...(embeds.has('taskStats') && { taskStats: taskStats(record) }),
    ...(embeds.has('warnings') && { warnings: warningsJson(record.app) }),
  };
}

/** The fields that were sent without effect. */
export function warningsJson({ warnings = [] }: AppRecord['app']): WarningJson[] {
  return warnings.map(({ path, error }) => ({ path: pathText(path), message: error }));
}

/** Formats apps as cached parts of a list. */
export function appParts(
  records: readonly AppRecord[],
  embeds: ReadonlySet<Embed>,
  role: string,
  paging: Paging = {},
): Part[] {
  const kind = JSON.stringify(['app', [...embeds], paging.fields && [...paging.fields]]);
  const show = (record: AppRecord) => JSON.stringify(pickFields(appJson(record, embeds, role), paging));
  return records.map((record) => partOf(record, kind, show));
}

function countsOf(record: AppRecord): CountsJson {
  const counts = { tasksStaged: 0, tasksRunning: 0, tasksHealthy: 0, tasksUnhealthy: 0 };
  for (const task of record.tasks.values()) {
    const { state } = task;
    if (state === 'TASK_STAGING' || state === 'TASK_STARTING') counts.tasksStaged += 1;
    if (state !== 'TASK_RUNNING') continue;
    counts.tasksRunning += 1;
    const healthy = healthOf(record, task);
    if (healthy === true) counts.tasksHealthy += 1;
    if (healthy === false) counts.tasksUnhealthy += 1;
  }
  return counts;
}

function failureJson(
  { app }: AppRecord,
  { taskId, host, agentId, version, state, message, at }: TaskFailure,
): FailureJson {
  const timestamp = new Date(at).toISOString();
  return { appId: app.id, host, message, state, taskId, timestamp, version, slaveId: agentId };
}

/** @returns all tasks, including unreachable ones, in a stable order */
function tasksOf({ tasks }: AppRecord): Task[] {
  return [...tasks.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

export function tasksJson(record: AppRecord): TaskJson[] {
  const servicePorts = servicePortsOf(record.app);
  return [...tasksOf(record).map((task) => taskJson(record, task, servicePorts)), ...suspendedJson(record)];
}

/** Shows instances without a task that keep their volumes by their last task, as Marathon does. */
export function suspendedJson(record: AppRecord): TaskJson[] {
  const { app, reservations } = record;
  return [...reservations.values()].flatMap((reservation) => {
    const { agentId, host, lastTask, ports, reservedAt, taskId } = reservation;
    if (taskId !== undefined || !lastTask) return [];
    return {
      id: lastTask.id,
      appId: app.id,
      host,
      ports,
      servicePorts: servicePortsOf(app),
      slaveId: agentId,
      state: lastTask.state,
      stagedAt: new Date(reservedAt).toISOString(),
      version: app.version,
      ipAddresses: [],
      localVolumes: volumesJson(reservation),
    };
  });
}

function volumesJson(reservation: Reservation | undefined): TaskJson['localVolumes'] {
  if (!reservation) return [];
  const { appId: runSpecId, volumes } = reservation;
  return volumes.map(({ containerPath, uuid, persistenceId }) => ({
    runSpecId,
    containerPath,
    uuid,
    persistenceId,
  }));
}

export function taskJson(
  record: Pick<AppRecord, 'app' | 'versions' | 'reservations'>,
  task: Task,
  servicePorts: readonly number[] = servicePortsOf(record.app),
): TaskJson {
  const { app } = record;
  const healthCheckResults = healthResults(record, task);
  return {
    id: task.id,
    appId: app.id,
    host: task.host,
    ports: task.ports,
    servicePorts,
    slaveId: task.agentId,
    state: task.state,
    stagedAt: new Date(task.launchedAt).toISOString(),
    ...(task.runningAt !== undefined && { startedAt: new Date(task.runningAt).toISOString() }),
    version: task.version,
    ipAddresses: task.addresses ?? [],
    localVolumes: volumesJson(record.reservations.get(instanceIdOf(task.id))),
    ...(healthCheckResults.length > 0 && { healthCheckResults }),
  };
}

function taskStats(record: AppRecord): TaskStatsJson {
  const { tasks, app } = record;
  const all = [...tasks.values()].filter(isCounted);
  const isCurrent = (task: Task) => task.configVersion === app.configVersion;
  const stats = (some: readonly Task[]) => ({
    stats: {
      counts: {
        staged: some.filter(({ state }) => state === 'TASK_STAGING' || state === 'TASK_STARTING').length,
        running: some.filter(({ state }) => state === 'TASK_RUNNING').length,
        healthy: some.filter((task) => healthOf(record, task) === true).length,
        unhealthy: some.filter((task) => healthOf(record, task) === false).length,
      },
    },
  });
  return {
    startedAfterLastScaling: stats(all.filter(({ version }) => version >= app.scaleVersion)),
    withLatestConfig: stats(all.filter(isCurrent)),
    withOutdatedConfig: stats(all.filter((task) => !isCurrent(task))),
    totalSummary: stats(all),
  };
}

/** The parts of a group to show. */
export interface GroupEmbeds {
  readonly groups: boolean;
  readonly apps: boolean;
  readonly ofApps: ReadonlySet<Embed>;
}

/** A group with everything in it. */
export interface Gathered extends Pick<GroupJson, 'id' | 'dependencies'> {
  version: string;
  readonly apps: AppRecord[];
  groups: Gathered[];
}

/** Formats a group as pieces of a JSON text, with a cached one for each app. */
export function groupParts(group: Gathered, { ofApps }: GroupEmbeds, role: string): Part[] {
  const { id, version, dependencies } = group;
  const own: Pick<GroupJson, 'id' | 'version' | 'dependencies'> = { id, version, dependencies };
  return [
    newPart(`${JSON.stringify(own).slice(0, -1)},"apps":[`, true),
    ...joined(appParts(group.apps, ofApps, role)),
    newPart('],"groups":['),
    ...group.groups.flatMap((one, i) => [
      ...(i === 0 ? [] : [newPart(',')]),
      ...groupParts(one, { groups: true, apps: true, ofApps }, role),
    ]),
    newPart('],"pods":[]}', true),
  ];
}

/** @returns undefined if the group does not exist */
export function gatherGroup(state: State, id: string, embeds: GroupEmbeds): Gathered | undefined {
  const groups = new Map<string, Gathered>();
  const groupOf = (groupId: string): Gathered => {
    const known = groups.get(groupId);
    if (known) return known;
    const { version = '', dependencies = [] } = state.groups.get(groupId) ?? {};
    const made: Gathered = { id: groupId, version, dependencies, apps: [], groups: [] };
    groups.set(groupId, made);
    if (groupId !== ROOT) groupOf(parentOf(groupId)).groups.push(made);
    return made;
  };
  groupOf(ROOT);
  for (const groupId of [...state.groups.keys()].sort()) groupOf(groupId);
  for (const appId of [...state.apps.keys()].sort()) {
    const record = state.apps.get(appId);
    const group = groupOf(parentOf(appId));
    if (!record) continue;
    if (embeds.apps) group.apps.push(record);
    // A group has the newest version of its contents.
    for (
      let at: string | undefined = group.id;
      at !== undefined;
      at = at === ROOT ? undefined : parentOf(at)
    ) {
      const one = groupOf(at);
      if (record.app.version > one.version) one.version = record.app.version;
    }
  }
  for (const group of groups.values()) {
    if (group.version === '') group.version = new Date(0).toISOString();
    group.groups.sort((a, b) => (a.id < b.id ? -1 : 1));
    if (!embeds.groups) group.groups = [];
  }
  return groups.get(id);
}
