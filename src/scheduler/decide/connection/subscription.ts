import { launchedTasks } from '../../../mesos/operations.ts';
import type { SchedulerEvent } from '../../../mesos/types.ts';
import type { StateEvent } from '../../domain/events.ts';
import { ownerOf, type State } from '../../domain/state.ts';
import { isDraining } from '../../domain/task.ts';
import { setDeadlines } from '../deployments/deadlines.ts';
import type { Decision, Input } from '../inputs.ts';
import { NO_CONSTRAINTS } from '../placement/offer-filter.ts';
import { RESERVATION_TIMEOUT_MS } from '../placement/resident.ts';
import { drainTimer, gracePeriodOf } from '../tasks/ending.ts';
import { kill, reconcile, reconcileOperations } from './calls.ts';
import { giveUpUnreachable } from './update.ts';

/** Wait before the reconciliation of unanswered tasks is repeated; doubled each time. */
const FIRST_RECONCILE_WAIT_MS = 1000;
export const MAX_RECONCILE_WAIT_MS = 60_000;
/** Wait before a lost REVIVE, DECLINE or UPDATE_FRAMEWORK is repeated. */
const RETRY_MS = 1000;

type Subscribed = Extract<SchedulerEvent, { type: 'SUBSCRIBED' }>['subscribed'];

/** Compares versions, since no capability of the master announces offer constraints, which Mesos has since 1.11. */
function supportsConstraints(version = ''): boolean {
  const [, major = 0, minor = 0] = /^(\d+)\.(\d+)\./.exec(version)?.map(Number) ?? [];
  return major > 1 || (major === 1 && minor >= 11);
}

/** Handles a new connection: reconciles every task and repeats the pending kills. */
export function handleSubscribed(
  state: State,
  { framework_id, master_info }: Subscribed,
  now: number,
): Decision {
  const { settings } = state;
  const frameworkId = framework_id.value;
  const takesConstraints = supportsConstraints(master_info?.version);
  const connection = state.connection + 1;
  const events: StateEvent[] = [];
  const registered = state.frameworkId !== frameworkId;
  const master = master_info?.hostname === undefined ? '' : `${master_info.hostname}:${master_info.port}`;
  if (registered) events.push({ type: 'framework_registered', frameworkId });
  events.push(
    { type: 'connected', at: now, takesConstraints, master, registered },
    ...setDeadlines(state, now),
  );
  const calls = reconcile(state.tasks.values());
  if (calls.length > 0) {
    events.push(
      { type: 'tasks_unanswered', taskIds: [...state.tasks.keys()] },
      setTimer(now + FIRST_RECONCILE_WAIT_MS, {
        kind: 'reconcile',
        waitMs: FIRST_RECONCILE_WAIT_MS,
        connection,
      }),
    );
  }
  events.push(setTimer(now + settings.reconciliationInitialDelayMs, { kind: 'reconcile_all', connection }));
  const unconfirmed = [...state.reservations.values()].filter((one) => one.state !== 'held');
  calls.push(...reconcileOperations(unconfirmed));
  for (const { id: reservationId } of unconfirmed) {
    events.push(setTimer(now + RESERVATION_TIMEOUT_MS, { kind: 'reservation', reservationId, connection }));
  }
  for (const task of state.tasks.values()) {
    if (isDraining(task)) events.push(drainTimer(task.id, task.drainUntil ?? now));
    if (task.killedAt !== undefined) {
      calls.push(kill(task, gracePeriodOf(state, task)));
      events.push(setTimer(now + settings.killRetryMs, { kind: 'kill', taskId: task.id, connection }));
    } else if (task.state === 'TASK_UNREACHABLE') {
      events.push(...giveUpUnreachable(ownerOf(state, task), task, now, false));
    } else if (task.state === 'TASK_STAGING') {
      events.push(
        setTimer(task.launchedAt + settings.taskLaunchTimeoutMs, {
          kind: 'launch',
          taskId: task.id,
          connection,
        }),
      );
    }
  }
  return { events, calls };
}

export function handleDisconnected(reason: string): Decision {
  return { events: [{ type: 'disconnected', reason }], calls: [] };
}

/** Handles an ERROR event, with which the master ends the subscription. */
export function handleError(state: State, message: string): Decision {
  const id = state.frameworkId ?? '(none yet)';
  if (message === 'Framework failed over') {
    return {
      events: [],
      calls: [],
      fatal: `another scheduler has subscribed with this scheduler's framework id ${id}: only one may run. Stop the other scheduler, or this one if it was replaced on purpose`,
    };
  }
  if (message !== 'Framework has been removed')
    return handleDisconnected(`the master reported an error: ${message}`);
  if (state.tasks.size > 0) {
    return {
      events: [],
      calls: [],
      fatal: `the master has removed the framework ${id}, but ${state.tasks.size} tasks are still recorded here. Make sure that none of them is still running, then save the state ("mesosup scheduler backup FILE") and restore it without the tasks ("mesosup scheduler restore FILE --force --new-framework"), which launches them again`,
    };
  }
  const events: StateEvent[] = [{ type: 'disconnected', reason: message }, { type: 'framework_forgotten' }];
  return { events, calls: [], newSession: true };
}

/**
 * Handles a call that did not reach the master or was rejected. Without a connection nothing is to be done, since the
 * next SUBSCRIBED repeats everything; otherwise the call is repeated, or its effect is reconciled.
 */
export function handleFailedCall(
  state: State,
  { call, refused }: Extract<Input, { type: 'call_failed' }>,
  now: number,
): Decision {
  const { connection } = state;
  if (!state.connected) return { events: [], calls: [] };
  if (call.type === 'REVIVE') {
    return { events: [setTimer(now + RETRY_MS, { kind: 'revive', connection })], calls: [] };
  }
  if (call.type === 'UPDATE_FRAMEWORK') {
    const constraints = call.update_framework.offer_constraints ?? NO_CONSTRAINTS;
    const event: StateEvent =
      refused === undefined
        ? setTimer(now + RETRY_MS, { kind: 'offer_constraints', connection })
        : { type: 'offer_constraints_refused', constraints, reason: refused };
    return { events: [event], calls: [] };
  }
  if (call.type === 'DECLINE') {
    return { events: [retryDecline(call.decline.offer_ids, state, now)], calls: [] };
  }
  if (call.type !== 'ACCEPT') return { events: [], calls: [] };
  const taskIds = launchedTasks(call.accept.operations)
    .map((task) => task.task_id.value)
    .filter((id) => state.tasks.has(id));
  const again = setTimer(now + FIRST_RECONCILE_WAIT_MS, {
    kind: 'reconcile',
    waitMs: FIRST_RECONCILE_WAIT_MS,
    connection,
  });
  const unused = retryDecline(call.accept.offer_ids, state, now);
  return { events: [{ type: 'tasks_unanswered', taskIds }, again, unused], calls: [] };
}

function retryDecline(ids: readonly { value: string }[], { connection }: State, now: number): StateEvent {
  const offerIds = ids.map(({ value }) => value);
  return setTimer(now + RETRY_MS, { kind: 'decline', offerIds, connection });
}

function setTimer(at: number, what: Extract<StateEvent, { type: 'timer_set' }>['timer']): StateEvent {
  return { type: 'timer_set', at, timer: what };
}
