/**
 * Checks the properties that must hold at each step. It counts the tasks itself and does not rely on the scheduler's
 * counters.
 */

import { canonicalJson } from '../json.ts';
import type { Input } from '../scheduler/decide/inputs.ts';
import type { StateEvent, StoredEvent } from '../scheduler/domain/events.ts';
import { maxCapacity, minHealthy } from '../scheduler/domain/rollout.ts';
import { snapshotOf } from '../scheduler/domain/snapshot.ts';
import { type AppRecord, ownerOf, type State } from '../scheduler/domain/state.ts';
import { isStored } from '../scheduler/domain/stored-events.ts';
import { isCounted, isReady, type Task } from '../scheduler/domain/task.ts';
import type { Watch } from './core.ts';

export type Property =
  /** Launches never exceed the capacity of an app. */
  | 'max-capacity'
  /** Kills by a deployment never leave too few ready instances. */
  | 'min-healthy'
  /** A ready task of an app with drainSeconds drains that long before its kill. */
  | 'drained-first'
  /** Updates are stored before they are acknowledged, events before they are published. */
  | 'stored-first'
  /** A restart restores the state. */
  | 'survives'
  /** No port, resource or task id is used twice. */
  | 'given-once'
  /** At the end Mesos and the scheduler know the same tasks. */
  | 'reconciled'
  /** The tasks of a removed app end. */
  | 'removed-ends'
  /** Deployments end, and apps have the instances there is room for. */
  | 'comes-to-rest';

export interface Violation {
  readonly property: Property;
  readonly detail: string;
  /** Virtual milliseconds since the start. */
  readonly at: number;
}

export class Safety implements Watch {
  readonly #report: (property: Property, detail: string) => void;
  #inputs: readonly Input[] = [];
  /** Apps with too few ready instances in this step, unless the app is removed in the same step. */
  readonly #tooFew = new Map<string, string>();
  readonly #stored = new WeakSet<StateEvent>();

  constructor(report: (property: Property, detail: string) => void) {
    this.#report = report;
  }

  begun(inputs: readonly Input[]): void {
    this.#inputs = inputs;
    this.#tooFew.clear();
  }

  before(state: State, event: StateEvent, settling: boolean): void {
    if (event.type === 'app_removed') this.#tooFew.delete(event.appId);
    if (event.type === 'task_killed') this.#checkDrain(state, event, settling);
    if ((event.type !== 'task_killed' && event.type !== 'task_draining') || !settling) return;
    if (this.#inputs.some(({ type }) => type === 'kill_tasks')) return;
    const task = state.tasks.get(event.taskId);
    const record = task && ownerOf(state, task);
    if (!task || !record?.active || !isReady(task)) return;
    const left = countTasks(record, isReady) - 1;
    const least = minHealthyOf(record);
    if (left >= least) return;
    this.#tooFew.set(
      task.appId,
      `${task.appId} has only ${left} ready instances left, but needs at least ${least}`,
    );
  }

  #checkDrain(
    state: State,
    { taskId, at, unhealthy }: Extract<StateEvent, { type: 'task_killed' }>,
    settling: boolean,
  ): void {
    const task = state.tasks.get(taskId);
    const drainSeconds = (task && ownerOf(state, task)?.app.drainSeconds) ?? 0;
    if (!task || unhealthy !== undefined) return;
    if (this.#inputs.some((input) => input.type === 'kill_tasks' && (input.force || input.wipe))) return;
    if (task.drainUntil !== undefined && at < task.drainUntil)
      this.#report(
        'drained-first',
        `${taskId} is killed ${task.drainUntil - at} ms before the end of its drain`,
      );
    // A task that was replaced and returns with its agent is killed at once.
    const returns = !settling && this.#inputs.some(({ type }) => type === 'mesos');
    if (task.drainUntil === undefined && drainSeconds > 0 && isReady(task) && !returns)
      this.#report('drained-first', `${taskId} is killed without a drain of ${drainSeconds} s`);
  }

  after(state: State, event: StateEvent): void {
    if (event.type !== 'task_launched') return;
    const record = state.apps.get(event.task.appId);
    if (!record) return;
    const problem = describeExcess(record, event.task);
    if (problem !== undefined) this.#report('max-capacity', `${event.task.appId}: ${problem}`);
  }

  done(): void {
    for (const detail of this.#tooFew.values()) this.#report('min-healthy', detail);
  }

  stored(events: readonly StoredEvent[]): void {
    for (const event of events) this.#stored.add(event);
  }

  published(events: readonly StateEvent[]): void {
    for (const event of events) {
      if (!isStored(event) || this.#stored.has(event)) continue;
      this.#report('stored-first', `${event.type} was published before it was stored`);
    }
  }

  restarted(before: State | undefined, after: State): void {
    if (!before) return;
    const [had, has] = [before, after].map((state) => [...snapshotOf(state)].map(canonicalJson));
    const lost = had?.find((one, i) => one !== has?.[i]);
    if (lost !== undefined) this.#report('survives', `${lost} is lost after a restart`);
  }
}

function countTasks({ tasks }: AppRecord, what: (task: Task) => boolean): number {
  let count = 0;
  for (const task of tasks.values()) if (what(task)) count += 1;
  return count;
}

function minHealthyOf({ active, tasks }: AppRecord): number {
  if (!active) return 0;
  if (active.mode !== 'daemon') return minHealthy(active);
  const agents = new Set([...tasks.values()].filter(isCounted).map(({ agentId }) => agentId));
  return minHealthy({ ...active, instances: agents.size });
}

/** Describes a violation caused by a launch. */
function describeExcess(record: AppRecord, launched: Task): string | undefined {
  const { active, frozen, succeeded } = record;
  if (!active) return 'it has no active definition';
  const counted = countTasks(record, isCounted);
  const isCurrent = (task: Task) => isCounted(task) && task.configVersion === active.configVersion;
  const current = countTasks(record, isCurrent);
  switch (active.mode) {
    case 'daemon': {
      const here = countTasks(record, (task) => isCurrent(task) && task.agentId === launched.agentId);
      return here > 1 ? `${here} tasks of a daemon on ${launched.host}` : undefined;
    }
    case 'job':
      return counted + succeeded > active.instances
        ? `${counted} tasks and ${succeeded} done, of ${active.instances}`
        : undefined;
    case 'service': {
      const most = counted > current && !frozen ? maxCapacity(active) : active.instances;
      return counted > most ? `${counted} tasks, but at most ${most} are allowed` : undefined;
    }
  }
}
