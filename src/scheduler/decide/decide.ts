/**
 * The scheduler's thinking: what follows from an input, given the state and the time. Pure; the runner stores the
 * events, applies them with `evolve` and only then sends the calls.
 */

import type { StateEvent } from '../domain/events.ts';
import type { State } from '../domain/state.ts';
import { killTasks, scaleApp, startApp, stopApp } from './apps.ts';
import { callFailed, disconnected, failed, subscribed } from './connection.ts';
import { type Call, type Decision, type Input, NOTHING } from './inputs.ts';
import { offered } from './offers.ts';
import { timePassed } from './timer.ts';
import { updated } from './update.ts';

/** @param now milliseconds since the epoch */
export function decide(state: State, input: Input, now: number): Decision {
  switch (input.type) {
    case 'start':
      return startApp(state, input, now);
    case 'scale':
      return scaleApp(state, input, now);
    case 'stop':
      return stopApp(state, input.appId, now);
    case 'kill_tasks':
      return killTasks(state, input, now);
    case 'timer':
      return timePassed(state, now);
    case 'disconnected':
      return disconnected(input.reason);
    case 'call_failed':
      return callFailed(state, input.call, now);
    case 'mesos':
      break;
  }
  switch (input.event.type) {
    case 'SUBSCRIBED':
      return subscribed(state, input.event.subscribed.framework_id.value, now);
    case 'OFFERS':
      return offered(state, input.event.offers.offers, now);
    case 'UPDATE':
      return updated(state, input.event.update.status, now);
    case 'ERROR':
      return failed(state, input.event.error.message);
    default:
      // A rescinded offer was answered when it came, a lost executor shows in its tasks' updates, and no executor
      // of ours sends messages.
      return NOTHING;
  }
}

/**
 * What must follow once the events of one or more inputs are applied: offers are asked for when demand has grown,
 * and no longer wanted when none is left.
 */
export function settle(state: State): { events: StateEvent[]; calls: Call[] } {
  if (!state.connected) return { events: [], calls: [] };
  const roles = [state.settings.role];
  if (state.ready.size > 0) {
    if (!state.offersWanted && !state.suppressed) return { events: [], calls: [] };
    return { events: [{ type: 'offers_revived' }], calls: [{ type: 'REVIVE', revive: { roles } }] };
  }
  if (state.suppressed) return { events: [], calls: [] };
  return { events: [{ type: 'offers_suppressed' }], calls: [{ type: 'SUPPRESS', suppress: { roles } }] };
}
