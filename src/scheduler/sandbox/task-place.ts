/** Where a task's output is: agent, executor, and directory in the executor's sandbox. Pure. */

import { taskFileName } from '../../executor/domain/task-directory.ts';
import { formOf } from '../decide/tasks/form.ts';
import { ownerOf, type State } from '../domain/state.ts';
import type { Task } from '../domain/task.ts';

export interface TaskPlace {
  readonly taskId: string;
  readonly agentId: string;
  readonly host: string;
  readonly frameworkId: string;
  /** The executor; several if it is not known any more which one it was. */
  readonly executorIds: readonly string[];
  /** Directories that may contain the output, in the order in which to look; empty for the sandbox itself. */
  readonly directories: readonly string[];
  /** The shared executor or an executor of its own runs the task as a container of Docker. */
  readonly isContainer: boolean;
}

/** An agent with so many shared executors runs some hundred tasks. */
const MAX_GUESSES = 4;

type Known = Pick<Task, 'id' | 'agentId' | 'host' | 'executorId'> & Partial<Task>;

/**
 * @param ended the tasks that ended since this scheduler started; in addition, the last failure of each app is known
 * @returns undefined for an unknown task
 */
export function placeOf(
  state: State,
  taskId: string,
  ended: ReadonlyMap<string, Task>,
): TaskPlace | undefined {
  const { frameworkId } = state;
  if (frameworkId === undefined) return undefined;
  const task = state.tasks.get(taskId) ?? ended.get(taskId);
  if (task) return { ...directoriesOf(state, task), frameworkId };
  for (const { lastFailure, app } of state.apps.values()) {
    if (lastFailure?.taskId !== taskId) continue;
    const { agentId, host } = lastFailure;
    const own = { id: taskId, agentId, host };
    const isShared = formOf(app, state.settings).type === 'shared';
    return {
      ...directoriesOf(state, own),
      frameworkId,
      executorIds: isShared ? [...sharedExecutorsOf(state, agentId), taskId] : [taskId],
      directories: [directoryOf(taskId), ''],
    };
  }
  return undefined;
}

/** The executors that may have run an ended task: those with tasks now, and the first ones of an agent. */
function sharedExecutorsOf({ executors, settings }: State, agentId: string): Set<string> {
  const first = Array.from({ length: MAX_GUESSES }, (_, i) => `${settings.dockerExecutor.idPrefix}.${i}`);
  return new Set([...(executors.get(agentId)?.keys() ?? []), ...first]);
}

/** True while the task may still write. */
export function isLive(state: State, taskId: string): boolean {
  return state.tasks.has(taskId);
}

function directoriesOf(state: State, task: Known): Omit<TaskPlace, 'frameworkId'> {
  const { id, agentId, host, executorId } = task;
  const found = { taskId: id, agentId, host, executorIds: [executorId ?? id] };
  if (executorId !== undefined) return { ...found, directories: [directoryOf(id)], isContainer: true };
  const { run, appId, version } = task;
  const owner = run === undefined || appId === undefined ? undefined : ownerOf(state, { run, appId });
  const app = owner?.versions.find((one) => one.version === version);
  const isContainer = app !== undefined && formOf(app, state.settings).type === 'fetching';
  // Releases before this form made the executor's own output that of the container, as in 2013.
  const own = isContainer ? [directoryOf(id)] : [];
  return { ...found, directories: [...own, ''], isContainer };
}

function directoryOf(taskId: string): string {
  return `tasks/${taskFileName(taskId)}`;
}
