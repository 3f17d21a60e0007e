import type { StateEvent } from '../../domain/events.ts';
import { ownerOf, type State } from '../../domain/state.ts';
import { isUnhealthy, type Task } from '../../domain/task.ts';
import { kill } from '../connection/calls.ts';
import type { Call } from '../inputs.ts';

interface Ending {
  /** The failed health check, if that is the reason for the kill. */
  readonly unhealthy?: string;
  /** Kills at once, without a drain, and also a task that drains. */
  readonly immediately?: boolean;
}

/**
 * Ends tasks: kills them, and sets timers to repeat the kills. A running task whose app has `drainSeconds` drains first;
 * a timer kills it. Without a connection only the intent is stored; the kills are sent with the next connection.
 */
export function endTasks(
  state: State,
  tasks: readonly Task[],
  now: number,
  { unhealthy, immediately = false }: Ending = {},
): { events: StateEvent[]; calls: Call[] } {
  const events: StateEvent[] = [];
  const calls: Call[] = [];
  for (const task of tasks) {
    if (task.killedAt === undefined && unhealthy === undefined && !immediately) {
      if ((task.drainUntil ?? 0) > now) continue;
      const drainMs = task.drainUntil === undefined ? drainMsOf(state, task) : 0;
      if (drainMs > 0) {
        const until = now + drainMs;
        events.push({ type: 'task_draining', taskId: task.id, at: now, until }, drainTimer(task.id, until));
        continue;
      }
    }
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

/** Only a task that may serve requests drains: it runs, and no health check has failed. */
function drainMsOf(state: State, task: Task): number {
  if (task.state !== 'TASK_RUNNING' || isUnhealthy(task)) return 0;
  return (ownerOf(state, task)?.app.drainSeconds ?? 0) * 1000;
}

/** Sets the timer for the end of a drain. */
export function drainTimer(taskId: string, until: number): StateEvent {
  return { type: 'timer_set', at: until, timer: { kind: 'drain', taskId } };
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
