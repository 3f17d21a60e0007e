/** Where a task's output and files are: agent, executor, and directories in the executor's sandbox. Pure. */

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
  /** True if the executor has other tasks, too. */
  readonly isShared: boolean;
  /** Directories that may contain the output, in the order in which to look; empty for the sandbox itself. */
  readonly directories: readonly string[];
  /** Names of the directories that lead to the task's own files. */
  readonly sandbox: readonly string[];
  /** When the launch was stored, in milliseconds since the epoch; undefined if it is not known any more. */
  readonly launchedAt?: number;
}

/** An agent with so many shared executors runs some hundred tasks. */
const MAX_GUESSES = 4;

/**
 * @param ended the tasks that ended since this scheduler started; in addition, the last failure of each app is known
 * @returns undefined for an unknown task
 */
export function placeOf(
  state: State,
  taskId: string,
  ended: ReadonlyMap<string, Task>,
): TaskPlace | undefined {
  const { frameworkId, settings } = state;
  if (frameworkId === undefined) return undefined;
  const task = state.tasks.get(taskId) ?? ended.get(taskId);
  if (task) {
    const { agentId, host, executorId, launchedAt } = task;
    const found = { taskId, agentId, host, frameworkId, executorIds: [executorId ?? taskId], launchedAt };
    return {
      ...found,
      ...directoriesOf(taskId, executorId === undefined ? formOfTask(state, task) : 'shared'),
    };
  }
  for (const { lastFailure, app } of state.apps.values()) {
    if (lastFailure?.taskId !== taskId) continue;
    const { agentId, host } = lastFailure;
    const form = formOf(app, settings).type;
    const executorIds = form === 'shared' ? sharedExecutorsOf(state, agentId) : [taskId];
    return { taskId, agentId, host, frameworkId, executorIds, ...directoriesOf(taskId, form) };
  }
  return undefined;
}

/** True while the task may still write. */
export function isLive(state: State, taskId: string): boolean {
  return state.tasks.has(taskId);
}

/** The executors that may have run an ended task: those with tasks now, and the first ones of an agent. */
function sharedExecutorsOf({ executors, settings }: State, agentId: string): string[] {
  const first = Array.from({ length: MAX_GUESSES }, (_, i) => `${settings.dockerExecutor.idPrefix}.${i}`);
  return [...new Set([...(executors.get(agentId)?.keys() ?? []), ...first])];
}

type FormName = ReturnType<typeof formOf>['type'];

/** @returns undefined if the app has been removed */
function formOfTask(state: State, task: Task): FormName | undefined {
  const app = ownerOf(state, task)?.versions.find(({ version }) => version === task.version);
  return app && formOf(app, state.settings).type;
}

function directoriesOf(
  taskId: string,
  form: FormName | undefined,
): Pick<TaskPlace, 'isShared' | 'directories' | 'sandbox'> {
  const path = ['tasks', taskFileName(taskId)];
  const isContainer = form === 'shared' || form === 'single';
  return {
    isShared: form === 'shared',
    directories: isContainer || form === undefined ? [path.join('/'), ...ownOutput(form)] : [''],
    sandbox: isContainer ? [...path, 'sandbox'] : [],
  };
}

/** Releases before `single` made the executor's own output that of the container, as in 2013. */
function ownOutput(form: FormName | undefined): string[] {
  return form === 'shared' ? [] : [''];
}
