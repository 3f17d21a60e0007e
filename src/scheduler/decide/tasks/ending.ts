import type { StateEvent } from '../../domain/events.ts';
import { ownerOf, type State } from '../../domain/state.ts';
import type { Task } from '../../domain/task.ts';
import { kill } from '../connection/calls.ts';
import type { Call } from '../inputs.ts';

/**
 * Asks tasks to end, and to be asked again while they have not. Without a connection only the wish is stored: it is
 * sent when there is one.
 * @param unhealthy why they are not well, where that is why they are to end
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
    calls.push(kill(task, graceOf(state, task)));
    events.push(killTimer(task, state, now));
  }
  return { events, calls };
}

/** How long a task has to end, where its app says so. */
export function graceOf(state: State, task: Task): number | undefined {
  return ownerOf(state, task)?.app.taskKillGracePeriodSeconds;
}

function killTimer(task: Task, { settings, connection }: State, now: number): StateEvent {
  return {
    type: 'timer_set',
    at: now + settings.killRetryMs,
    timer: { kind: 'kill', taskId: task.id, connection },
  };
}
