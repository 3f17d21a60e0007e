/**
 * Decides what follows from an input, depending on the state and the time. Pure; the runner applies the events with
 * `evolve`, stores them, and only then sends the calls.
 */

import type { SchedulerEvent } from '../../mesos/types.ts';
import type { StateEvent } from '../domain/events.ts';
import { ownerOf, type State } from '../domain/state.ts';
import { handleOperation } from './connection/operation.ts';
import {
  handleDisconnected,
  handleError,
  handleFailedCall,
  handleSubscribed,
} from './connection/subscription.ts';
import { handleUpdate } from './connection/update.ts';
import { planChange } from './deployments/change.ts';
import { cancelDeployment } from './deployments/deadlines.ts';
import { type Decision, type Input, NOTHING } from './inputs.ts';
import { handleOffers } from './placement/offers.ts';
import { drainAgent } from './tasks/drain-agent.ts';
import { formOf } from './tasks/form.ts';
import { killTasks } from './tasks/kill-tasks.ts';
import { handleProbe } from './tasks/probed.ts';
import { handleTimer } from './timer.ts';

type Message = Extract<SchedulerEvent, { type: 'MESSAGE' }>['message'];

/** @param now milliseconds since the epoch */
export function decide(state: State, input: Input, now: number): Decision {
  switch (input.type) {
    case 'change':
      return planChange(state, input, now);
    case 'cancel_deployment':
      return cancelDeployment(state, input.deploymentId, now);
    case 'lift_delay':
      return liftDelay(state, input.appId, now);
    case 'drain_agent':
      return drainAgent(state, input, now);
    case 'kill_tasks':
      return killTasks(state, input, now);
    case 'started':
      return handleStarted(state, input.release);
    case 'probed':
      return handleProbe(state, input, now);
    case 'agent_answered':
      return { events: [{ ...input, at: now }], calls: [] };
    case 'timer':
      return handleTimer(state, now);
    case 'disconnected':
      return handleDisconnected(input.reason);
    case 'call_failed':
      return handleFailedCall(state, input, now);
    case 'mesos':
      break;
  }
  switch (input.event.type) {
    case 'SUBSCRIBED':
      return handleSubscribed(state, input.event.subscribed, now);
    case 'OFFERS':
      return handleOffers(state, input.event.offers.offers, now);
    case 'UPDATE':
      return handleUpdate(state, input.event.update.status, now);
    case 'UPDATE_OPERATION_STATUS':
      return handleOperation(state, input.event.update_operation_status.status, now);
    case 'ERROR':
      return handleError(state, input.event.error.message);
    case 'MESSAGE':
      return handleMessage(state, input.event.message);
    default:
      // Offers are answered on arrival, so a rescinded offer needs no action; a lost executor shows in the updates of
      // its tasks.
      return NOTHING;
  }
}

/** Passes messages of apps' own executors to listeners. Those of mesosup's executors are not for the state. */
function handleMessage(state: State, { agent_id, executor_id, data }: Message): Decision {
  const executorId = executor_id.value;
  // Such an executor has the id of its task.
  const task = state.tasks.get(executorId);
  const app = task && ownerOf(state, task)?.app;
  if (!app) return NOTHING;
  const form = formOf(app, state.settings);
  if (form.type !== 'own' || form.path === state.settings.dockerExecutor.path) return NOTHING;
  return {
    events: [{ type: 'framework_message', agentId: agent_id.value, executorId, data }],
    calls: [],
  };
}

/** A scheduler begins to lead with the state of its store. */
function handleStarted(state: State, release: string): Decision {
  const events: StateEvent[] = state.release === release ? [] : [{ type: 'release_changed', release }];
  return { events: [...events, { type: 'tasks_resumed' }], calls: [] };
}

function liftDelay(state: State, appId: string, now: number): Decision {
  if (!state.apps.has(appId)) return { events: [], calls: [], reply: { type: 'unknown_app', appId } };
  return { events: [{ type: 'delay_lifted', appId, at: now }], calls: [], reply: { type: 'done' } };
}
