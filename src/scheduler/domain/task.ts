import { isTerminal, type TaskState } from '../../mesos/types.ts';

/** A task from the moment its launch is stored until its last update is. */
export interface Task {
  readonly id: string;
  readonly appId: string;
  /** Which start of the app the task belongs to: an app stopped and started again keeps nothing of the old one. */
  readonly run: number;
  /** The app's version it was launched as, and that version's configuration. */
  readonly version: string;
  readonly configVersion: string;
  readonly agentId: string;
  readonly host: string;
  /** Host ports, in the order of the app's ports. */
  readonly ports: readonly number[];
  /** The shared executor it runs in, where it does. */
  readonly executorId?: string;
  /** Values of the fields the app's constraints name, as the agent had them at placement. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch, as all times here. */
  readonly launchedAt: number;
  /** Whether its executor checks its health. */
  readonly checked: boolean;
  /** How many checks are done from here. */
  readonly probes?: number;
  state: TaskState;
  /** What its executor told last of its health. */
  healthy?: boolean;
  /** What the checks from here found last; learned anew after a restart. */
  probed?: (boolean | undefined)[];
  /** Mesos' reason for the state. */
  reason?: string;
  message?: string;
  /** When it reached TASK_RUNNING. */
  runningAt?: number;
  /** While its agent is out of reach: since when, and whether another is to be launched in its place. */
  unreachableAt?: number;
  inactive?: boolean;
  /** When it was first asked to end. It then counts for its app until it has ended, but for nothing else. */
  killedAt?: number;
}

/** A task that occupies one of its app's instances: all but those on agents that were out of reach for too long. */
export function isCounted(task: Task): boolean {
  return !isTerminal(task.state) && task.inactive !== true;
}

/** A task that can be asked to end, and has not been. */
export function isKillable(task: Task): boolean {
  return task.killedAt === undefined && isCounted(task) && task.state !== 'TASK_UNREACHABLE';
}

/** A task that is of use: it runs, and as far as its app has it checked it is well. */
export function isReady(task: Task): boolean {
  return task.state === 'TASK_RUNNING' && task.killedAt === undefined && isHealthy(task) !== false;
}

/** Whether all checks of a task have passed; undefined where its app has none. Before the first result it has not. */
export function isHealthy({ checked, healthy, probes = 0, probed = [] }: Task): boolean | undefined {
  if (!checked && probes === 0) return undefined;
  if (checked && healthy !== true) return false;
  return Array.from({ length: probes }, (_, i) => probed[i]).every((one) => one === true);
}

/** Whether a check of the task has failed, other than not having passed yet. */
export function isUnhealthy({ checked, healthy, probed = [] }: Task): boolean {
  return (checked && healthy === false) || probed.includes(false);
}

/** The instance a task belongs to; each has one task here. v1's tasks have no instances, and stand for themselves. */
export function instanceIdOf(taskId: string): string {
  return taskId.replace(/\._app\.\d+$/, '');
}
