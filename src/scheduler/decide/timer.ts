import type { StateEvent } from '../domain/events.ts';
import type { Reservation } from '../domain/reservation.ts';
import { ownerOf, type State } from '../domain/state.ts';
import { isCounted, isDraining, type Task } from '../domain/task.ts';
import { dueTimers, type Timer } from '../domain/timers.ts';
import { decline, RECONCILE_ALL, reconcile, reconcileOperations } from './connection/calls.ts';
import { MAX_RECONCILE_WAIT_MS } from './connection/subscription.ts';
import { giveUpUnreachable } from './connection/update.ts';
import { checkDeadline } from './deployments/deadlines.ts';
import type { Call, Decision } from './inputs.ts';
import { RESERVATION_TIMEOUT_MS } from './placement/resident.ts';
import { endTasks } from './tasks/ending.ts';

/** Handles all timers that are due. */
export function handleTimer(state: State, now: number): Decision {
  const due = dueTimers(state.timers, now);
  const events: StateEvent[] = due.length > 0 ? [{ type: 'timers_fired', until: now }] : [];
  const calls: Call[] = [];
  for (const timer of due) {
    const decision = fire(state, timer, now);
    events.push(...decision.events);
    calls.push(...decision.calls);
  }
  return { events, calls };
}

function fire(state: State, timer: Timer, now: number): { events: StateEvent[]; calls: Call[] } {
  const nothing = { events: [], calls: [] };
  if (timer.kind === 'delay')
    return { events: [{ type: 'delay_passed', appId: timer.appId, at: now }], calls: [] };
  if (timer.kind === 'deadline') return checkDeadline(state, timer.deploymentId, now);
  if (timer.kind === 'unreachable') {
    const task = state.tasks.get(timer.taskId);
    if (task?.state !== 'TASK_UNREACHABLE') return nothing;
    // After a disconnection, the next SUBSCRIBED sets the timer again.
    if (!state.connected && task.inactive) return nothing;
    const isCurrent = state.connected && !state.unanswered.has(task.id);
    return { events: giveUpUnreachable(ownerOf(state, task), task, now, isCurrent), calls: [] };
  }
  if (timer.kind === 'drain') {
    const task = state.tasks.get(timer.taskId);
    return task && isDraining(task) ? endTasks(state, [task], now) : nothing;
  }
  const { connection } = timer;
  if (!state.connected || connection !== state.connection) return nothing;
  switch (timer.kind) {
    case 'kill': {
      const task = state.tasks.get(timer.taskId);
      // Tasks on an unreachable agent can't be killed; that is done when the agent returns.
      return task && isCounted(task) ? endTasks(state, [task], now) : nothing;
    }
    case 'launch': {
      const task = state.tasks.get(timer.taskId);
      const overdue = task?.state === 'TASK_STAGING' && task.killedAt === undefined;
      return overdue ? endTasks(state, [task], now) : nothing;
    }
    case 'reservation': {
      const reservation = state.reservations.get(timer.reservationId);
      if (!reservation || reservation.state === 'held') return nothing;
      const at = now + RESERVATION_TIMEOUT_MS;
      return { events: [{ type: 'timer_set', at, timer }], calls: reconcileOperations([reservation]) };
    }
    case 'removal':
      return state.leaving.has(timer.reservationId)
        ? { events: [{ type: 'offers_wanted' }], calls: [] }
        : nothing;
    case 'decline': {
      const ids = timer.offerIds.map((value) => ({ value }));
      return { events: [], calls: [decline(ids, state.settings.declineOfferMs / 1000)] };
    }
    case 'revive':
      return { events: [{ type: 'offers_wanted' }], calls: [] };
    case 'offer_constraints':
      return { events: [{ type: 'offer_constraints_lost' }], calls: [] };
    case 'reconcile_all': {
      const at = now + state.settings.reconciliationIntervalMs;
      return {
        events: [{ type: 'timer_set', at, timer: { kind: 'reconcile_all', connection } }],
        // The reservations stand for their agents: a wiped one may have no task.
        calls: [RECONCILE_ALL, ...reconcile(listLeaving(state))],
      };
    }
    case 'reconcile': {
      if (state.unanswered.size === 0) return nothing;
      const waitMs = Math.min(timer.waitMs * 2, MAX_RECONCILE_WAIT_MS);
      const again: Timer = { kind: 'reconcile', waitMs, connection };
      return {
        events: [{ type: 'timer_set', at: now + waitMs, timer: again }],
        calls: reconcile(listUnanswered(state)),
      };
    }
  }
}

function listLeaving({ reservations }: State): Reservation[] {
  return [...reservations.values()].filter(({ leaving }) => leaving);
}

function* listUnanswered(state: State): Generator<Task> {
  for (const id of state.unanswered) {
    const task = state.tasks.get(id);
    if (task) yield task;
  }
}
