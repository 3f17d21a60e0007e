import { isTerminal, type TaskState } from '../../mesos/types.ts';
import type { CheckResults } from './check-results.ts';

/** An address of a task, as Marathon's API shows it. */
export interface TaskAddress {
  readonly ipAddress: string;
  readonly protocol: 'IPv4' | 'IPv6';
}

/** A task, from the moment its launch is stored until its last update is stored. */
export interface Task {
  readonly id: string;
  readonly appId: string;
  /** The run of the app that the task belongs to. */
  readonly run: number;
  /** The version and the configVersion of the app at the launch. */
  readonly version: string;
  readonly configVersion: string;
  readonly agentId: string;
  readonly host: string;
  /** Host ports, in the order of the app's ports. */
  readonly ports: readonly number[];
  /** The shared executor that runs the task, if any. */
  readonly executorId?: string;
  /** The agent's values of the constraints' fields at placement. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch, like all times here. */
  readonly launchedAt: number;
  /** True if the executor checks the health. */
  readonly checked: boolean;
  /** Number of checks made by the scheduler. */
  readonly probes?: number;
  /** True if the scheduler that launched the task saw its checks pass: holds until this scheduler has results. */
  readonly passedBefore?: boolean;
  state: TaskState;
  /** Last health reported by the executor. */
  healthy?: boolean;
  /** The addresses of its networks, as of the last update; not stored. */
  addresses?: readonly TaskAddress[];
  /** Results of the scheduler's checks, first those of the health, then those of the readiness; not stored. */
  probed?: (CheckResults | undefined)[];
  /** True if it ran already when this scheduler began to lead; not stored. */
  resumed?: boolean;
  /** Results of the executor's checks, and the uuid of the last update with a result; not stored. */
  agentResults?: CheckResults & { readonly uuid: string };
  /** Mesos' reason for the state. */
  reason?: string;
  message?: string;
  /** Time of TASK_RUNNING. */
  runningAt?: number;
  /** While the agent is unreachable: since when, and whether the task is to be replaced. */
  unreachableAt?: number;
  inactive?: boolean;
  /** While the task drains, and afterwards: when it is killed. It is not ready from the beginning of the drain on. */
  drainUntil?: number;
  /** True if its agent drains and another agent can run the instance: the task is to be replaced. Not stored. */
  leaving?: boolean;
  /** Time of the first kill. Until it ends, the task still counts as an instance of its app, but is not ready. */
  killedAt?: number;
}

/** True if the task occupies an instance of its app: it has not ended, and was not given up as unreachable. */
export function isCounted(task: Task): boolean {
  return !isTerminal(task.state) && task.inactive !== true;
}

/** True if the task drains or was killed: its end is wanted. */
export function isEnding(task: Task): boolean {
  return task.killedAt !== undefined || task.drainUntil !== undefined;
}

/** True if the task drains and was not killed yet. */
export function isDraining(task: Task): boolean {
  return task.drainUntil !== undefined && task.killedAt === undefined;
}

/** True if the task can be killed, and neither drains nor has been killed yet. */
export function isKillable(task: Task): boolean {
  return !isEnding(task) && isCounted(task) && task.state !== 'TASK_UNREACHABLE';
}

/** True if the task runs, is neither draining nor being killed, and passes all health checks. */
export function isReady(task: Task): boolean {
  return task.state === 'TASK_RUNNING' && !isEnding(task) && isHealthy(task) !== false;
}

/** True if all checks have passed, false before the first result; undefined if the app has no checks. */
export function isHealthy({
  checked,
  healthy,
  probes = 0,
  probed = [],
  passedBefore,
}: Task): boolean | undefined {
  if (!checked && probes === 0) return undefined;
  if (checked && healthy !== true) return false;
  return Array.from({ length: probes }, (_, i) => probed[i]?.healthy ?? passedBefore).every(
    (one) => one === true,
  );
}

/** True if the task runs, no check has failed, and one has no result since its start or the start of this leader. */
export function isUnchecked(task: Task): boolean {
  const { state } = task;
  return state === 'TASK_RUNNING' && !isEnding(task) && !isUnhealthy(task) && isHealthy(task) === false;
}

/**
 * True if load balancers may use the task. One that a new leader has not checked yet is among them: its former leader
 * may have seen it pass, and without it a change of leaders would leave apps without any server until the first checks.
 */
export function isListed(task: Task): boolean {
  return isReady(task) || (task.resumed === true && isUnchecked(task));
}

/** True if a check has failed; a check without a result does not count. */
export function isUnhealthy({ checked, healthy, probed = [] }: Task): boolean {
  return (checked && healthy === false) || probed.some((one) => one?.healthy === false);
}

/** @returns the id of the instance that a task belongs to, with one task per instance; for v1's tasks, the task id */
export function instanceIdOf(taskId: string): string {
  return taskId.replace(/\._app\.\d+$/, '');
}
