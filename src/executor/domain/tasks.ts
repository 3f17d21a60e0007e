/** Creates task values and reads their descriptions. */

import type { TaskInfo, TaskStatus } from '../../mesos/types.ts';
import type { State, Task } from './executor-state.ts';

/** Between SIGTERM and SIGKILL, as in the original Docker executor. */
const DEFAULT_GRACE_MS = 2000;

const NEW = {
  info: undefined,
  acknowledged: false,
  single: false,
  container: undefined,
  output: undefined,
  networks: [],
  health: undefined,
  kill: undefined,
  updates: [],
} as const;

/** @param single see Task.single */
export function launchedTask(info: TaskInfo, single: boolean): Task {
  return { ...NEW, id: info.task_id.value, phase: 'preparing', info, single };
}

/** Creates the task of a container of this run that has no readable file. The agent knows the task, so it stays. */
export function unknownTask(id: string): Task {
  return { ...NEW, id, phase: 'running', acknowledged: true };
}

/** The content of SUBSCRIBE. */
export interface Unacknowledged {
  /** Tasks without any acknowledged update. */
  tasks: TaskInfo[];
  updates: { status: TaskStatus }[];
}

export function listUnacknowledged(state: Pick<State, 'tasks'>): Unacknowledged {
  const tasks = [...state.tasks.values()];
  return {
    tasks: tasks.filter((t) => !t.acknowledged).flatMap((t) => t.info ?? []),
    updates: tasks.flatMap((t) => t.updates.map((status) => ({ status }))),
  };
}

/** From SIGTERM to SIGKILL, if the kill itself has no grace period. */
export function killGraceMs(task: Task): number {
  const nanoseconds = task.info?.kill_policy?.grace_period?.nanoseconds;
  return nanoseconds === undefined ? DEFAULT_GRACE_MS : nanoseconds / 1e6;
}

export function withoutData(info: TaskInfo | undefined): TaskInfo | undefined {
  if (info?.data === undefined) return info;
  const { data: _data, ...rest } = info;
  return rest;
}
