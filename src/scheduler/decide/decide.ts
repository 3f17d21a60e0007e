/**
 * The scheduler's thinking: what follows from an input, given the state and the time. Pure; the runner stores the
 * events, applies them with `evolve` and only then sends the calls.
 */

import type { State } from '../domain/state.ts';
import { callFailed, disconnected, failed, subscribed } from './connection/subscription.ts';
import { updated } from './connection/update.ts';
import { change } from './deployments/change.ts';
import { cancelDeployment } from './deployments/deadlines.ts';
import { type Decision, type Input, NOTHING } from './inputs.ts';
import { offered } from './placement/offers.ts';
import { killTasks } from './tasks/kill-tasks.ts';
import { probed } from './tasks/probed.ts';
import { timePassed } from './timer.ts';

/** @param now milliseconds since the epoch */
export function decide(state: State, input: Input, now: number): Decision {
  switch (input.type) {
    case 'change':
      return change(state, input, now);
    case 'cancel_deployment':
      return cancelDeployment(state, input.deploymentId, now);
    case 'lift_delay':
      return liftDelay(state, input.appId, now);
    case 'kill_tasks':
      return killTasks(state, input, now);
    case 'started':
      return started(state, input.release);
    case 'probed':
      return probed(state, input, now);
    case 'timer':
      return timePassed(state, now);
    case 'disconnected':
      return disconnected(input.reason);
    case 'call_failed':
      return callFailed(state, input, now);
    case 'mesos':
      break;
  }
  switch (input.event.type) {
    case 'SUBSCRIBED':
      return subscribed(state, input.event.subscribed, now);
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

function started(state: State, release: string): Decision {
  return state.release === release ? NOTHING : { events: [{ type: 'release_changed', release }], calls: [] };
}

function liftDelay(state: State, appId: string, now: number): Decision {
  if (!state.apps.has(appId)) return { events: [], calls: [], reply: { type: 'unknown_app', appId } };
  return { events: [{ type: 'delay_lifted', appId, at: now }], calls: [], reply: { type: 'done' } };
}
