/** Checks that the cluster has come to rest in the expected state. */

import { amountsOf, contains, countRanges } from '../mesos/resources.ts';
import type { App } from '../scheduler/domain/app.ts';
import { imageOf, portsOf } from '../scheduler/domain/app.ts';
import type { AppRecord, State } from '../scheduler/domain/state.ts';
import { isCounted, isEnding, type Task } from '../scheduler/domain/task.ts';
import type { Agent } from './agent.ts';
import type { SimulatedMesos } from './mesos.ts';
import type { Property } from './safety.ts';

export interface Unrest {
  readonly property: Property;
  readonly detail: string;
}

export function* findUnrest(state: State, mesos: SimulatedMesos): Generator<Unrest> {
  if (!state.connected) yield { property: 'comes-to-rest', detail: 'the scheduler is not subscribed' };
  const live = new Map(mesos.live().map((task) => [task.info.task_id.value, task]));
  for (const [id, { state: its, info }] of live) {
    const known = state.tasks.get(id);
    if (!known)
      yield {
        property: 'reconciled',
        detail: `${id} of ${info.name} is ${its}, but unknown to the scheduler`,
      };
    else if (known.state !== its)
      yield { property: 'reconciled', detail: `${id} is ${its}, but the scheduler has ${known.state}` };
  }
  for (const task of state.tasks.values()) {
    if (!live.has(task.id))
      yield {
        property: 'reconciled',
        detail: `${task.id} is ${task.state} for the scheduler, but does not exist`,
      };
    if (state.apps.get(task.appId)?.run !== task.run)
      yield { property: 'removed-ends', detail: `${task.id} is running, but its app was removed` };
    else if (isEnding(task)) yield { property: 'comes-to-rest', detail: `${task.id} does not end` };
  }
  for (const id of state.unanswered)
    yield { property: 'reconciled', detail: `the master has not answered for ${id}` };
  const blocked = new Set<string>();
  for (const [appId, record] of state.apps) {
    const problem = describeLack(record, state, mesos);
    if (problem === 'blocked') blocked.add(appId);
    else if (problem !== undefined) yield { property: 'comes-to-rest', detail: `${appId} ${problem}` };
  }
  for (const [id, { deployment }] of state.deployments) {
    if (!deployment.appIds.some((appId) => blocked.has(appId)))
      yield { property: 'comes-to-rest', detail: `deployment ${id} does not end` };
  }
}

/** Describes what an app lacks; `blocked` if there is no room for it. */
function describeLack(record: AppRecord, state: State, mesos: SimulatedMesos): string | undefined {
  const { active, frozen, succeeded } = record;
  // The app belongs to a later step of its deployment.
  if (!active) return record.deploymentId === undefined ? 'has not started' : undefined;
  const counted = [...record.tasks.values()].filter(isCounted);
  const current = counted.filter(({ configVersion }) => configVersion === active.configVersion);
  if (active.mode === 'daemon') {
    const has = new Set((frozen ? counted : current).map(({ agentId }) => agentId));
    const other = [...mesos.agents.values()].find(
      (one) => !has.has(one.spec.id) && fits(one, active, state) && allows(active, one, counted),
    );
    if (other && !frozen) return `has no task on ${other.spec.host}, where it fits`;
    return counted.length > current.length && !frozen ? 'blocked' : undefined;
  }
  if (active.mode === 'job' && succeeded >= active.instances) {
    return counted.length > 0 ? 'is done, but still has tasks' : undefined;
  }
  const has = (frozen ? counted.length : current.length) + (active.mode === 'job' ? succeeded : 0);
  // A cancelled deployment leaves its new instances beside the old ones.
  if (frozen && has > active.instances) return undefined;
  if (has > active.instances) return `has ${has} instances instead of ${active.instances}`;
  if (has === active.instances) {
    if (active.mode === 'job') return 'is not done';
    return counted.length > has ? 'has old tasks' : undefined;
  }
  const room = [...mesos.agents.values()].find(
    (one) => fits(one, active, state) && allows(active, one, counted),
  );
  if (!room) return 'blocked';
  return `has ${has} instances instead of ${active.instances}, and one more fits on ${room.spec.host}`;
}

function fits(agent: Agent, app: App, { settings }: State): boolean {
  const { free } = agent;
  const ports = portsOf(app);
  if (ports.length > countRanges(free.ranges.get('ports') ?? [])) return false;
  const { idPrefix, info, path } = settings.dockerExecutor;
  const shared = imageOf(app) !== undefined || app.executor === path;
  const present = [...agent.executors.keys()].some((id) => id.startsWith(idPrefix));
  const wanted = (['cpus', 'mem', 'disk', 'gpus'] as const).map((name) => ({
    name,
    type: 'SCALAR' as const,
    scalar: { value: app[name] },
  }));
  const fixed = ports
    .filter(({ hostPort }) => hostPort !== 0)
    .map(({ hostPort }) => ({ begin: hostPort, end: hostPort }));
  const needs = amountsOf([
    ...wanted,
    { name: 'ports', type: 'RANGES', ranges: { range: fixed } },
    ...(shared && !present ? (info.resources ?? []) : []),
  ]);
  return contains(free, needs);
}

/** Evaluates simple constraints only; with others an app may wait at any time. */
function allows(app: App, agent: Agent, tasks: readonly Task[]): boolean {
  return app.constraints.every(([field, operator, value]) => {
    if (field !== 'hostname') return false;
    const here = tasks.filter(({ host }) => host === agent.spec.host).length;
    if (operator === 'UNIQUE') return here === 0;
    return operator === 'MAX_PER' && here < Number(value);
  });
}
