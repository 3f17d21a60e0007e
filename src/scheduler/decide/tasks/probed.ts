import type { State } from '../../domain/state.ts';
import { isKillable } from '../../domain/task.ts';
import { type Decision, type Input, NOTHING } from '../inputs.ts';
import { endTasks } from './ending.ts';

/** Handles a result of a check made by the scheduler. The last allowed failure kills the task. */
export function handleProbe(state: State, input: Extract<Input, { type: 'probed' }>, now: number): Decision {
  const { type: _type, giveUp, ...result } = input;
  const { taskId } = result;
  const task = state.tasks.get(taskId);
  if (!task || !isKillable(task)) return NOTHING;
  const events = [{ type: 'task_probed', ...result, at: now } as const];
  if (giveUp === undefined) return { events, calls: [] };
  const ended = endTasks(state, [task], now, { unhealthy: giveUp });
  return { events: [...events, ...ended.events], calls: ended.calls };
}
