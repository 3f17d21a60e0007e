import type { StateEvent } from '../../domain/events.ts';
import { ownerOf, type State } from '../../domain/state.ts';
import type { Task } from '../../domain/task.ts';
import { kill } from '../connection/calls.ts';
import type { Call } from '../inputs.ts';

/**
 * Kills tasks, and sets timers to repeat the kills. Without a connection only the intent is stored; the kills are sent
 * with the next connection.
 * @param unhealthy the failed health check, if that is the reason for the kill
 */
export function endTasks(
  state: State,
  tasks: readonly Task[],
  now: number,
  unhealthy?: string,
): { events: StateEvent[]; calls: Call[] } {
  const events: StateEvent[] = [];
  const calls: Call[] = [];
  for (const task of tasks) {
    if (task.killedAt === undefined) {
      events.push({
        type: 'task_killed',
        taskId: task.id,
        at: now,
        ...(unhealthy !== undefined && { unhealthy }),
      });
    }
    if (!state.connected) continue;
    calls.push(kill(task, gracePeriodOf(state, task)));
    events.push(killTimer(task, state, now));
  }
  return { events, calls };
}

/** @returns the grace period of a kill, if the app sets it */
export function gracePeriodOf(state: State, task: Task): number | undefined {
  return ownerOf(state, task)?.app.taskKillGracePeriodSeconds;
}

function killTimer(task: Task, { settings, connection }: State, now: number): StateEvent {
  return {
    type: 'timer_set',
    at: now + settings.killRetryMs,
    timer: { kind: 'kill', taskId: task.id, connection },
  };
}
