/** The stored state of a scheduler that continues for Marathon. */

import { RELEASE } from '../../release.ts';
import { type AgentFacts, fieldsOf } from '../decide/placement/fields.ts';
import type { App } from '../domain/app.ts';
import { countProbes, isOnAgent } from '../domain/checks.ts';
import type { StoredEvent } from '../domain/events.ts';
import type { FrameworkIdentity } from '../domain/framework-identity.ts';
import type { Task } from '../domain/task.ts';
import type { FrameworkFacts } from './framework.ts';
import { type MarathonTask, versionKey } from './reading.ts';

export interface Taken {
  readonly identity: FrameworkIdentity;
  readonly facts: FrameworkFacts;
  readonly apps: readonly App[];
  /** Earlier definitions of the apps, by `versionKey`. */
  readonly earlier: ReadonlyMap<string, App>;
  /** The tasks of each app. */
  readonly tasks: ReadonlyMap<string, readonly MarathonTask[]>;
  /** Tasks that are never killed. */
  readonly leftTasks: readonly string[];
}

/** @returns the events of a snapshot */
export function eventsOf(
  { identity, facts, apps, earlier, tasks, leftTasks }: Taken,
  now: number,
): StoredEvent[] {
  const events: StoredEvent[] = [
    { type: 'release_changed', release: RELEASE },
    { type: 'framework_registered', frameworkId: facts.id, identity },
    ...leftTasks.map((taskId): StoredEvent => ({ type: 'task_left', taskId })),
    { type: 'counters_restored', runs: apps.length, deployments: 0 },
  ];
  const restored: StoredEvent[] = [];
  for (const [i, app] of apps.entries()) {
    const run = i + 1;
    const ofApp = tasks.get(app.id) ?? [];
    const outdated = [...new Set(ofApp.map(({ version }) => version))]
      .filter((version) => isOutdated(version, app))
      .sort();
    const versions = outdated.flatMap((version) => earlier.get(versionKey(app.id, version)) ?? []);
    events.push({
      type: 'app_restored',
      record: {
        versions: [...versions, app],
        run,
        changedAt: Date.parse(app.version),
        launches: ofApp.length,
        succeeded: 0,
        // Marathon has left these tasks after a cancelled deployment, so they stay until the next deployment.
        frozen: outdated.length > 0,
        active: app,
      },
    });
    for (const task of ofApp) {
      const definition = isOutdated(task.version, app) ? earlier.get(versionKey(app.id, task.version)) : app;
      restored.push({
        type: 'task_restored',
        task: taskOf(task, definition, run, facts.agents.get(task.agentId), now),
      });
    }
  }
  return [...events, ...restored];
}

/** True if a task of this version is not an instance of the current configuration. Times in ISO 8601 sort as text. */
function isOutdated(version: string, app: App): boolean {
  return Date.parse(version) < Date.parse(app.configVersion);
}

/** @param app the definition that the task runs with, if it is known */
function taskOf(
  task: MarathonTask,
  app: App | undefined,
  run: number,
  agent: AgentFacts | undefined,
  now: number,
): Task {
  const { id, appId, agentId, host, ports, version, state, stagedAt, startedAt, healthy } = task;
  const probes = app ? countProbes(app) : 0;
  const checked = app?.healthChecks.some(isOnAgent) ?? false;
  return {
    id,
    appId,
    run,
    version,
    configVersion: app?.configVersion ?? version,
    agentId,
    host,
    ports,
    ...(app && agent && app.constraints.length > 0 && { fields: fieldsOf(app, agent) }),
    launchedAt: stagedAt ?? startedAt ?? now,
    checked,
    ...(probes > 0 && { probes, passedBefore: healthy !== false && state === 'TASK_RUNNING' }),
    state,
    ...(checked && healthy !== undefined && { healthy }),
    ...(startedAt !== undefined && { runningAt: startedAt }),
    ...(state === 'TASK_UNREACHABLE' && { unreachableAt: now }),
    ...(state === 'TASK_KILLING' && { killedAt: now }),
  };
}
