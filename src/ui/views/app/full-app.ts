import type { AppJson, TaskJson } from '../../../scheduler/api/v2/app-schemas.ts';

/** An app as its view reads it: with everything that can be embedded. */
export type FullApp = AppJson;

/** The tasks that can have output or a terminal; those that run come first. */
export function startedTasks({ tasks = [] }: FullApp): TaskJson[] {
  return tasks.filter(({ startedAt }) => startedAt !== undefined).toSorted((a, b) => rank(a) - rank(b));
}

function rank({ state }: TaskJson): number {
  return state === 'TASK_RUNNING' ? 0 : 1;
}
