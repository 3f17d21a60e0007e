import type { State } from '../../domain/state.ts';
import { isKillable } from '../../domain/task.ts';
import { type Decision, type Input, NOTHING } from '../inputs.ts';
import { endTasks } from './ending.ts';

/** Handles a changed result of a check made by the scheduler, or the last allowed failure, which kills the task. */
export function handleProbe(state: State, input: Extract<Input, { type: 'probed' }>, now: number): Decision {
  const { taskId, probe, healthy, giveUp } = input;
  const task = state.tasks.get(taskId);
  if (!task || !isKillable(task)) return NOTHING;
  const events =
    task.probed?.[probe] === healthy
      ? []
      : [{ type: 'task_probed', taskId, probe, healthy, at: now } as const];
  if (giveUp === undefined) return { events, calls: [] };
  const ended = endTasks(state, [task], now, { unhealthy: giveUp });
  return { events: [...events, ...ended.events], calls: ended.calls };
}
