/** Tasks as values: new ones, and what is read off their descriptions. */

import type { TaskInfo } from '../../mesos/types.ts';
import type { Task } from './executor-state.ts';

/** What the original Docker executor gave a container between SIGTERM and SIGKILL. */
const DEFAULT_GRACE_MS = 2000;

const NEW = {
  info: undefined,
  acknowledged: false,
  single: false,
  container: undefined,
  output: undefined,
  addresses: [],
  health: undefined,
  kill: undefined,
  updates: [],
} as const;

/** @param single see Task.single */
export function launchedTask(info: TaskInfo, single: boolean): Task {
  return { ...NEW, id: info.task_id.value, phase: 'preparing', info, single };
}

/** For a container of this run of which the files say nothing: the agent knows the task, so it lives on. */
export function unknownTask(id: string): Task {
  return { ...NEW, id, phase: 'running', acknowledged: true };
}

/** From SIGTERM to SIGKILL where the kill itself doesn't say. */
export function killGraceMs(task: Task): number {
  const nanoseconds = task.info?.kill_policy?.grace_period?.nanoseconds;
  return nanoseconds === undefined ? DEFAULT_GRACE_MS : nanoseconds / 1e6;
}

export function withoutData(info: TaskInfo | undefined): TaskInfo | undefined {
  if (info?.data === undefined) return info;
  const { data: _data, ...rest } = info;
  return rest;
}
