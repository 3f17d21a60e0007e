/** Finds the executor that can run a command in a task's container. */

import { ownerOf, type State } from '../../domain/state.ts';
import type { Task } from '../../domain/task.ts';
import { formOf } from './form.ts';

export interface ExecTarget {
  readonly appId: string;
  readonly agentId: string;
  readonly executorId: string;
}

/** @returns why no command can be run in the task; undefined if the task does not exist */
export function execTargetOf(state: State, taskId: string): ExecTarget | { problem: string } | undefined {
  const task = state.tasks.get(taskId);
  if (!task) return undefined;
  const executorId = executorIdOf(state, task);
  if (executorId === undefined) {
    const { path } = state.settings.dockerExecutor;
    const problem = `Task '${taskId}' has no container of mesosup's Docker executor (${path}), so no command can be run in it`;
    return { problem };
  }
  if (task.state !== 'TASK_RUNNING' && task.state !== 'TASK_KILLING')
    return { problem: `Task '${taskId}' does not run: its state is ${task.state}` };
  return { appId: task.appId, agentId: task.agentId, executorId };
}

function executorIdOf(state: State, task: Task): string | undefined {
  if (task.executorId !== undefined) return task.executorId;
  const app = ownerOf(state, task)?.versions.findLast(
    ({ configVersion }) => configVersion === task.configVersion,
  );
  const form = app && formOf(app, state.settings);
  // An executor of its own has the task's id.
  return form?.type === 'single' ? task.id : undefined;
}
