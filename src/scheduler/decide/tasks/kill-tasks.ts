import type { StateEvent } from '../../domain/events.ts';
import type { Reservation } from '../../domain/reservation.ts';
import type { AppRecord, State } from '../../domain/state.ts';
import { instanceIdOf, isDraining, isKillable, type Task } from '../../domain/task.ts';
import { planChange } from '../deployments/change.ts';
import type { Decision, Input, TaskFilter, TaskView } from '../inputs.ts';
import { endTasks } from './ending.ts';

/**
 * Kills the matching tasks. With `force` or `wipe`, tasks do not drain first, and draining tasks are killed too. With
 * `scale` the instances of their apps are reduced, otherwise the tasks are replaced.
 */
export function killTasks(
  state: State,
  input: Extract<Input, { type: 'kill_tasks' }>,
  now: number,
): Decision {
  const { filter, scale, force = false, wipe = false } = input;
  const immediately = force || wipe;
  const matching = new Map<AppRecord, Task[]>();
  for (const record of appsOf(state, filter)) {
    const found = [...record.tasks.values()].filter(
      (task) => (isKillable(task) || wipe || (force && isDraining(task))) && matches(task, filter),
    );
    if (found.length > 0) matching.set(record, found);
  }
  const tasks = [...matching.values()].flat();
  const leaving = wipe ? findLeaving(state, filter, tasks) : [];
  const suspended = leaving.flatMap(({ appId, host, lastTask, ports, taskId }) =>
    taskId === undefined && lastTask ? [{ appId, id: lastTask.id, host, ports }] : [],
  );
  const killed = { type: 'killed', tasks: [...tasks.map(viewTask), ...suspended] } as const;
  const ended = endTasks(state, tasks, now, { immediately });
  const wiped = wipe
    ? [...tasks.map((task) => markGone(task, now)), ...leaving.map((one) => leave(one, now))]
    : [];
  const changes = [...matching].flatMap(([{ app }, found]) => {
    // Draining tasks are no instances any more: they were replaced, or their app was scaled down.
    const fewer = found.filter(isKillable).length;
    const instances = Math.max(0, app.instances - fewer);
    return fewer === 0 ? [] : { op: 'scale' as const, appId: app.id, instances };
  });
  if (!scale) return { events: [...ended.events, ...wiped], calls: ended.calls, reply: killed };
  // As in Marathon, also a deployment if there is nothing to scale.
  const scaled = planChange(state, { type: 'change', changes, force, seed: 0 }, now);
  if (scaled.reply?.type !== 'deployed') return scaled;
  return {
    // Scale first, so that no replacements are launched.
    events: [...scaled.events, ...ended.events],
    calls: [...scaled.calls, ...ended.calls],
    reply: { ...killed, plan: scaled.reply.plan },
  };
}

/** The instances of these tasks, and matching instances without a task, lose their reservations and volumes. */
function findLeaving(state: State, filter: TaskFilter, tasks: readonly Task[]): Reservation[] {
  const instances = new Set(tasks.map(({ id }) => instanceIdOf(id)));
  return appsOf(state, filter)
    .flatMap((record) => [...record.reservations.values()])
    .filter(({ id, host, taskId, lastTask }) => {
      if (instances.has(id)) return true;
      return taskId === undefined && matches({ host, id: lastTask?.id ?? id }, filter);
    });
}

function leave({ id: reservationId, state }: Reservation, at: number): StateEvent {
  return { type: 'reservation_changed', reservationId, state, leaving: true, at };
}

/** Removes a task from the state without waiting for its end: its agent may never come back. */
function markGone({ id }: Task, now: number): StateEvent {
  return { type: 'task_updated', taskId: id, state: 'TASK_GONE', at: now, message: 'removed with wipe=true' };
}

export function viewTask({ appId, id, host, ports }: Task): TaskView {
  return { appId, id, host, ports };
}

function appsOf(state: State, { appId }: TaskFilter): AppRecord[] {
  if (appId === undefined || appId === '*') return [...state.apps.values()];
  const record = state.apps.get(appId);
  return record ? [record] : [];
}

/** Without host and ids nothing matches: a missing parameter must not kill every task. */
function matches(task: Pick<Task, 'host' | 'id'>, { host, taskId, taskIds }: TaskFilter): boolean {
  return host === '*' || task.host === host || task.id === taskId || taskIds?.has(task.id) === true;
}
