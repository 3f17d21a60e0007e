import type { State } from './executor-state.ts';
import { type PolicyReading, readingProblem } from './policy.ts';

/** Finds the container of a task in which a command can be run. @returns why there is none, for the user */
export function execContainerOf(state: State, taskId: string): { container: string } | { problem: string } {
  const task = state.tasks.get(taskId);
  if (!task) return { problem: `The executor has no task '${taskId}': it may have ended` };
  if (task.phase === 'ended') return { problem: `Task '${taskId}' has ended` };
  if (task.phase !== 'running' || task.container === undefined)
    return { problem: `The container of task '${taskId}' does not run yet` };
  return { container: task.container };
}

/** @returns why the agent's policy forbids exec, for the user; undefined if it does not */
export function findExecProblem(reading: PolicyReading): string | undefined {
  if ('problem' in reading) return readingProblem(reading);
  return reading.policy.exec === false ? `${reading.file} on this agent forbids exec` : undefined;
}
