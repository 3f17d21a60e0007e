/** Log messages for state changes. */

import { isTerminal } from '../mesos/types.ts';
import type { Deployment } from './domain/deployment.ts';
import type { StateEvent } from './domain/events.ts';
import { pathText } from './domain/field-errors.ts';
import type { State } from './domain/state.ts';
import { isEnding } from './domain/task.ts';

export interface Notice {
  readonly level: 'info' | 'warn';
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** @param state the state before the event, so that an ending task can still be looked up */
export function noticeFor(state: State, event: StateEvent): Notice | undefined {
  switch (event.type) {
    case 'framework_registered':
      return info(`registered as framework ${event.frameworkId}`, { frameworkId: event.frameworkId });
    case 'framework_forgotten':
      return warn('the master removed the framework, which had no tasks; registering again', {});
    case 'connected':
      return info('subscribed to the master', { tasks: state.tasks.size, apps: state.apps.size });
    case 'disconnected':
      // Logged once, however often the session retries.
      if (!state.connected && state.disconnectedBecause === event.reason) return undefined;
      return warn(`not subscribed to a master: ${event.reason}`, {});
    case 'task_answered':
      // Logged with the last answer only.
      if (state.unanswered.size !== 1 || !state.unanswered.has(event.taskId)) return undefined;
      return info('the master has answered for every task', { tasks: state.tasks.size });
    case 'app_changed': {
      const { id, instances, version, warnings } = event.app;
      const text = state.apps.has(id) ? 'app changed' : 'app started';
      if (!warnings) return info(text, { app: id, instances, version });
      const ignored = warnings.map(({ path, error }) => `${pathText(path)} ${error}`);
      return warn(`${text}, without a part of its definition`, { app: id, instances, version, ignored });
    }
    case 'app_removed':
      return info('app stopped', { app: event.appId });
    case 'deployment_started':
      return info('deployment started', deploymentFields(event.deployment));
    case 'deployment_stepped':
      return info('deployment advanced', { deployment: event.deploymentId, step: event.step + 1 });
    case 'deployment_ended':
      return noticeForEndedDeployment(event);
    case 'offer_constraints_refused':
      return warn(`the master rejected the offer constraints, so it offers everything: ${event.reason}`, {});
    case 'app_delayed':
      if (event.delayMs === 0) return undefined;
      return warn(`app is waiting: its tasks keep ending; next launch in ${event.delayMs / 1000} s`, {
        app: event.appId,
      });
    case 'offer_refused':
      if (
        hasSameFirstReason(state.apps.get(event.appId)?.refusals.get(event.agentId)?.reason, event.reason)
      ) {
        return undefined;
      }
      return info(`app is waiting; ${event.host} rejected: ${event.reason}`, { app: event.appId });
    case 'task_launched': {
      const { id, appId, host, ports } = event.task;
      return info('task launched', { app: appId, task: id, host, ports });
    }
    case 'task_draining':
      return info('draining task', { task: event.taskId, killAt: new Date(event.until).toISOString() });
    case 'task_killed':
      if (event.unhealthy !== undefined) {
        return warn(`killing task: ${event.unhealthy}`, { task: event.taskId });
      }
      return info('killing task', { task: event.taskId });
    case 'task_given_up':
      return warn('the agent of a task is unreachable: launching a replacement', {
        task: event.taskId,
      });
    case 'task_probed': {
      if (state.tasks.get(event.taskId)?.probed?.[event.probe]?.healthy === event.healthy) return undefined;
      const text = event.healthy ? 'check passed' : `check failed: ${event.why ?? ''}`;
      return info(text, { task: event.taskId, check: event.probe });
    }
    case 'task_updated':
      return noticeForUpdate(state, event);
    default:
      return undefined;
  }
}

/** Compares what the agent lacks. The amounts that it offers change all the time and are not worth a message. */
function hasSameFirstReason(before: string | undefined, reason: string): boolean {
  return before?.split(', ')[0] === reason.split(', ')[0];
}

function noticeForUpdate(
  state: State,
  event: Extract<StateEvent, { type: 'task_updated' }>,
): Notice | undefined {
  const task = state.tasks.get(event.taskId);
  if (!task) return undefined;
  const { reason, message = '' } = event;
  const fields = { app: task.appId, task: task.id, host: task.host, state: event.state, reason };
  const wanted = isEnding(task) || event.state === 'TASK_FINISHED';
  const level = isTerminal(event.state) && !wanted ? 'warn' : 'info';
  return { level, text: message === '' ? event.state : `${event.state}: ${message}`, fields };
}

function deploymentFields({ id, appIds, rollbackOf }: Deployment) {
  return { deployment: id, apps: appIds, ...(rollbackOf !== undefined && { rollbackOf }) };
}

function noticeForEndedDeployment({
  deploymentId,
  outcome,
  reason,
}: Extract<StateEvent, { type: 'deployment_ended' }>): Notice {
  const fields = { deployment: deploymentId, ...(reason !== undefined && { reason }) };
  const text =
    outcome === 'success' ? 'deployment succeeded' : `deployment ${outcome}: ${reason ?? 'no reason given'}`;
  return outcome === 'failed' ? warn(text, fields) : info(text, fields);
}

function info(text: string, fields: Notice['fields']): Notice {
  return { level: 'info', text, fields };
}

function warn(text: string, fields: Notice['fields']): Notice {
  return { level: 'warn', text, fields };
}
