/** What the log and the listeners to `/v2/events` are told of a change of state. */

import { isTerminal } from '../mesos/types.ts';
import type { StateEvent } from './domain/events.ts';
import { ownerOf, type State } from './domain/state.ts';

export interface Notice {
  readonly level: 'info' | 'warn';
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** In the form of Marathon's event stream. */
  readonly event?: ServerEvent;
}

export interface ServerEvent {
  readonly eventType: string;
  readonly timestamp: string;
  readonly [field: string]: unknown;
}

/** Called with the state as it is before the event, so that a task that ends can still be looked up. */
export function describe(state: State, event: StateEvent, now: number): Notice | undefined {
  switch (event.type) {
    case 'framework_registered':
      return {
        ...info(`registered as framework ${event.frameworkId}`, { frameworkId: event.frameworkId }),
        event: stamp('scheduler_registered_event', now, { frameworkId: event.frameworkId }),
      };
    case 'framework_forgotten':
      return warn('the master removed the framework; it had no tasks, and registers anew', {});
    case 'connected':
      return info('subscribed to the master', { tasks: state.tasks.size, apps: state.apps.size });
    case 'disconnected':
      // Told once, however often the session tries.
      if (!state.connected && state.disconnectedBecause === event.reason) return undefined;
      return warn(`not subscribed to a master: ${event.reason}`, {});
    case 'app_started':
      return info('app started', { app: event.app.id, instances: event.app.instances });
    case 'app_scaled':
      return info('app scaled', { app: event.appId, instances: event.instances });
    case 'app_stopped':
      return info('app stopped', { app: event.appId });
    case 'app_delayed':
      if (event.delayMs === 0) return undefined;
      return warn(`app waits: its tasks keep ending; the next launch is in ${event.delayMs / 1000} s`, {
        app: event.appId,
      });
    case 'offer_refused':
      if (lacksTheSame(state.apps.get(event.appId)?.refusals.get(event.agentId)?.reason, event.reason)) {
        return undefined;
      }
      return info(`app waits: ${event.host} does not do: ${event.reason}`, { app: event.appId });
    case 'task_launched': {
      const { id, appId, host, ports } = event.task;
      return info('task launched', { app: appId, task: id, host, ports });
    }
    case 'task_killed':
      return info('task asked to end', { task: event.taskId });
    case 'task_updated':
      return ofUpdate(state, event, now);
    default:
      return undefined;
  }
}

/** What an agent offers changes all the time; what it lacks of what the app wants is told once. */
function lacksTheSame(before: string | undefined, reason: string): boolean {
  return before?.split(', ')[0] === reason.split(', ')[0];
}

function ofUpdate(
  state: State,
  event: Extract<StateEvent, { type: 'task_updated' }>,
  now: number,
): Notice | undefined {
  const task = state.tasks.get(event.taskId);
  if (!task) return undefined;
  const { reason, message = '' } = event;
  const fields = { app: task.appId, task: task.id, host: task.host, state: event.state, reason };
  const wanted = task.killedAt !== undefined || event.state === 'TASK_FINISHED';
  const level = isTerminal(event.state) && !wanted ? 'warn' : 'info';
  const data = {
    slaveId: task.agentId,
    taskId: task.id,
    taskStatus: event.state,
    message,
    appId: `/${task.appId}`,
    host: task.host,
    ports: task.ports,
    version: new Date(ownerOf(state, task)?.changedAt ?? task.launchedAt).toISOString(),
  };
  return {
    level,
    text: message === '' ? event.state : `${event.state}: ${message}`,
    fields,
    event: stamp('status_update_event', now, data),
  };
}

function stamp(eventType: string, now: number, data: Record<string, unknown>): ServerEvent {
  return { ...data, eventType, timestamp: new Date(now).toISOString() };
}

function info(text: string, fields: Notice['fields']): Notice {
  return { level: 'info', text, fields };
}

function warn(text: string, fields: Notice['fields']): Notice {
  return { level: 'warn', text, fields };
}
