/** Plans the takeover of a framework: the state with which this scheduler continues for Marathon. */

import type { Json } from '../../json.ts';
import type { App } from '../domain/app.ts';
import { absoluteId } from '../domain/app-id.ts';
import type { StoredEvent } from '../domain/events.ts';
import { type FrameworkIdentity, flagsFor } from '../domain/framework-identity.ts';
import type { Settings } from '../domain/settings.ts';
import type { Remark } from '../import/marathon.ts';
import { convertApps, convertEarlier, findUntakeable } from './apps.ts';
import { type FrameworkFacts, type MasterTask, whileRecovering } from './framework.ts';
import { type MarathonTask, type Reading, versionKey } from './reading.ts';
import { eventsOf } from './state.ts';
import { appIdOf } from './task-id.ts';

/** What can't be taken over, with its running tasks. `id`: of the app; `/` for tasks of pods and of no app. */
export interface LeftOut {
  readonly id: string;
  readonly why: string;
  readonly taskIds: readonly string[];
}

export interface TakeoverPlan {
  readonly framework: FrameworkIdentity & {
    readonly id: string;
    readonly name: string;
    readonly failoverTimeoutSeconds: number;
  };
  readonly apps: readonly { readonly id: string; readonly instances: number; readonly tasks: number }[];
  /** Problems that prevent the takeover. */
  readonly problems: readonly Remark[];
  /** Fields that this scheduler does not support. The running tasks keep their effect. */
  readonly unsupported: readonly Remark[];
  /** Fields that this scheduler accepts without effect. */
  readonly warnings: readonly Remark[];
  /** Apps and tasks that stay outside of this scheduler. */
  readonly leftOut: readonly LeftOut[];
  /** Apps for which Marathon has not launched all instances: this scheduler launches them. */
  readonly waiting: Reading['queue'];
  /** Flags with which the scheduler must be started. */
  readonly flags: readonly string[];
}

/** Below, the master could kill the tasks before this scheduler has subscribed. */
const MIN_FAILOVER_TIMEOUT_S = 60;

/**
 * @param settings of a scheduler with default flags
 * @returns the plan, and the stored state of the scheduler after the takeover
 */
export function planTakeover(
  reading: Reading,
  facts: FrameworkFacts,
  settings: Settings,
  now: number,
): { readonly plan: TakeoverPlan; readonly events: readonly StoredEvent[] } {
  const { apps: marathon } = reading;
  const identity = identityOf(facts);
  // The roles of apps are compared with the scheduler's.
  const own = { ...settings, role: identity.role };
  const reasons = new Map<string, string>();
  for (const [id, shown] of marathon.shown) {
    const why = findUntakeable(shown);
    if (why !== undefined) reasons.set(id, why);
  }
  for (const { id, field, why } of marathon.problems) {
    if (!reasons.has(id)) reasons.set(id, `${field} ${why}`);
  }
  const candidates = () => marathon.apps.filter(({ id }) => !reasons.has(id));
  let converted = convertApps(candidates(), marathon.shown, own, now);
  if ('problems' in converted) {
    for (const { id, field, why } of converted.problems) {
      if (!reasons.has(id)) reasons.set(id, `${field} ${why}`.trim());
    }
    converted = convertApps(candidates(), marathon.shown, own, now);
  }
  const current = 'apps' in converted ? converted.apps : [];
  const general = 'problems' in converted ? converted.problems : [];

  const byId = new Map(current.map((app) => [app.id, app]));
  const { tasks, leftOut, late } = assignTasks(reading, facts, byId, reasons);
  // An app with more tasks than Marathon has shown was scaled since: none of them may be killed.
  const taken = current.map((app) =>
    late.has(app.id) ? { ...app, instances: Math.max(app.instances, tasks.get(app.id)?.length ?? 0) } : app,
  );
  const plan: TakeoverPlan = {
    framework: {
      ...identity,
      id: facts.id,
      name: facts.name,
      failoverTimeoutSeconds: facts.failoverTimeoutSeconds,
    },
    apps: taken.map(({ id, instances }) => ({ id, instances, tasks: tasks.get(id)?.length ?? 0 })),
    problems: [...general, ...frameworkProblems(reading, facts)],
    unsupported: marathon.unsupported.filter(({ id, field }) => byId.has(id) || field === 'enforceRole'),
    warnings: marathon.warnings.filter(({ id }) => byId.has(id)),
    leftOut,
    waiting: reading.queue.filter(({ appId }) => byId.has(appId)),
    flags: flagsFor(identity, settings),
  };
  const earlier = convertAllEarlier(reading.earlier, own, now);
  const leftTasks = leftOut.flatMap(({ taskIds }) => taskIds);
  const events = eventsOf({ identity, facts, apps: taken, earlier, tasks, leftTasks }, now);
  return { plan, events };
}

function identityOf({ user, principal, checkpoint, roles }: FrameworkFacts): FrameworkIdentity {
  return { user, ...(principal !== undefined && { principal }), checkpoint, role: roles[0] ?? '*' };
}

function frameworkProblems({ deployments }: Reading, facts: FrameworkFacts): Remark[] {
  const { id, roles, failoverTimeoutSeconds, recovering } = facts;
  const running = deployments.map(({ id: deployment, affectedApps }) => {
    const why = `is running in Marathon (${deployment}): wait until it has ended, or cancel it`;
    return { id: affectedApps.join(', '), field: 'deployment', why };
  });
  const several = `are ${roles.join(', ')}: this scheduler subscribes with one role`;
  const short = `is ${failoverTimeoutSeconds} s: when Marathon stops, the master would kill all tasks before the scheduler has subscribed. Restart Marathon with a --failover_timeout of at least ${MIN_FAILOVER_TIMEOUT_S}`;
  return [
    ...running,
    ...(roles.length > 1 ? [{ id, field: 'roles', why: several }] : []),
    ...(failoverTimeoutSeconds < MIN_FAILOVER_TIMEOUT_S
      ? [{ id, field: 'failover_timeout', why: short }]
      : []),
    ...(recovering.length > 0 ? [{ id, field: 'agents', why: whileRecovering(recovering) }] : []),
  ];
}

interface Assigned {
  /** The tasks of each app that is taken over. */
  readonly tasks: ReadonlyMap<string, readonly MarathonTask[]>;
  readonly leftOut: readonly LeftOut[];
  /** Apps with tasks that were launched after Marathon was read. */
  readonly late: ReadonlySet<string>;
}

/** Assigns every running task to its app, or to the tasks that are left out. */
function assignTasks(
  { tasks, apps }: Reading,
  facts: FrameworkFacts,
  taken: ReadonlyMap<string, App>,
  reasons: ReadonlyMap<string, string>,
): Assigned {
  const assigned = new Map<string, MarathonTask[]>();
  const left = new Map<string, string[]>([...reasons.keys()].map((id) => [id, []]));
  const unknown: string[] = [];
  const late = new Set<string>();
  const assign = (id: string, appId: string | undefined, task: MarathonTask | undefined): void => {
    if (appId !== undefined && reasons.has(appId)) left.get(appId)?.push(id);
    else if (appId !== undefined && task && taken.has(appId))
      assigned.set(appId, [...(assigned.get(appId) ?? []), task]);
    else unknown.push(id);
  };
  const known = new Set(tasks.map(({ id }) => id));
  for (const task of tasks) {
    const appId = absoluteId(task.appId);
    assign(task.id, appId, { ...task, appId });
  }
  for (const task of facts.tasks) {
    if (known.has(task.id)) continue;
    const appId = appIdOf(task.id);
    if (appId !== undefined) late.add(appId);
    assign(task.id, appId, launchedSince(task, taken.get(appId ?? ''), facts));
  }
  const pods = apps.unsupported.flatMap(({ id, field }) => (field === 'pods' ? [id] : []));
  const leftOut = [...left].map(([id, taskIds]) => ({ id, why: reasons.get(id) ?? '', taskIds }));
  for (const pod of pods) {
    const isOfPod = (id: string) => id.startsWith(`${pod.slice(1).replaceAll('/', '_')}.`);
    leftOut.push({ id: pod, why: 'is a pod', taskIds: unknown.filter(isOfPod) });
  }
  const named = new Set(leftOut.flatMap(({ taskIds }) => taskIds));
  const others = unknown.filter((id) => !named.has(id));
  if (others.length > 0)
    leftOut.push({ id: '/', why: 'has tasks that Marathon does not show', taskIds: others });
  return { tasks: assigned, leftOut, late };
}

/** A task that Marathon launched after it was read. It has the app's current version, since no deployment was running. */
function launchedSince(
  { id, agentId, state, ports, since }: MasterTask,
  app: App | undefined,
  { agents }: FrameworkFacts,
): MarathonTask | undefined {
  const host = agents.get(agentId)?.hostname;
  if (!app || !ports || host === undefined) return undefined;
  return {
    id,
    appId: app.id,
    agentId,
    host,
    ports,
    version: app.version,
    state,
    ...(since !== undefined && { stagedAt: since, startedAt: since }),
  };
}

function convertAllEarlier(
  earlier: ReadonlyMap<string, Json>,
  settings: Settings,
  now: number,
): ReadonlyMap<string, App> {
  const found = new Map<string, App>();
  for (const shown of earlier.values()) {
    const app = convertEarlier(shown, settings, now);
    if (app) found.set(versionKey(app.id, app.version), app);
  }
  return found;
}
