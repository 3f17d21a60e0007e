/**
 * Converts state changes to the events of `/v2/events`. Source of names and fields: the event bus of Marathon 1.11.
 */

import { isTerminal } from '../mesos/types.ts';
import { actionJson, planJson } from './api/v2/deployment-views.ts';
import type { Condition, EventOf, EventType, ServerEvent } from './api/v2/event-schemas.ts';
import { definitionJson } from './api/v2/views.ts';
import type { App } from './domain/app.ts';
import { isOnAgent } from './domain/checks.ts';
import type { Deployment } from './domain/deployment.ts';
import type { StateEvent } from './domain/events.ts';
import { currentActions } from './domain/evolve-deployments.ts';
import { launchedApp, ownerOf, type State } from './domain/state.ts';
import { instanceIdOf, isEnding, isReady, isUnhealthy, type Task } from './domain/task.ts';

type HealthCheck = App['healthChecks'][number];
type Data<T extends EventType> = Omit<EventOf<T>, 'eventType' | 'timestamp'>;
type Stamp = <T extends EventType>(eventType: T, data: Data<T>) => ServerEvent;

/** @param state the state before the event, so that an ending task or deployment can still be looked up */
export function serverEvents(state: State, event: StateEvent, now: number): ServerEvent[] {
  const timestamp = new Date(now).toISOString();
  const stamp: Stamp = (eventType, data) => ({ ...data, eventType, timestamp }) as unknown as ServerEvent;
  switch (event.type) {
    case 'connected': {
      const { registered } = event;
      const master = event.master.replace(/:\d+$/, '');
      const { frameworkId = '' } = state;
      return registered
        ? [stamp('scheduler_registered_event', { frameworkId, master })]
        : [stamp('scheduler_reregistered_event', { master })];
    }
    case 'disconnected':
      return state.connected ? [stamp('scheduler_disconnected_event', {})] : [];
    case 'change_accepted':
      return changeEvents(event, state.settings.role, stamp);
    case 'change_refused': {
      const { groupIds, reason } = event;
      return groupIds.map((groupId) => stamp('group_change_failed', { groupId, version: timestamp, reason }));
    }
    case 'app_changed': {
      const { id: appId, version, healthChecks } = event.app;
      return healthChecks.map((healthCheck) =>
        stamp('add_health_check_event', { appId, version, healthCheck }),
      );
    }
    case 'app_removed': {
      const app = state.apps.get(event.appId)?.app;
      return [
        ...(app ? removedChecks(app, stamp) : []),
        stamp('app_terminated_event', { appId: event.appId }),
      ];
    }
    case 'deployment_started':
      return [stamp('deployment_info', stepJson(event.deployment, 0))];
    case 'deployment_stepped': {
      const record = state.deployments.get(event.deploymentId);
      if (!record) return [];
      const { deployment, step } = record;
      return [
        stamp('deployment_step_success', stepJson(deployment, step)),
        stamp('deployment_info', stepJson(deployment, event.step)),
      ];
    }
    case 'deployment_ended': {
      const record = state.deployments.get(event.deploymentId);
      if (!record) return [];
      const { deployment, step } = record;
      const ended = { id: deployment.id, plan: planJson(deployment) };
      if (event.outcome === 'success') {
        // From now on no task has the previous definitions.
        const replaced = deployment.before.apps.flatMap(({ id, app }) =>
          app && state.apps.has(id) ? removedChecks(app, stamp) : [],
        );
        return [
          ...replaced,
          stamp('deployment_step_success', stepJson(deployment, step)),
          stamp('deployment_success', ended),
        ];
      }
      return [
        stamp('deployment_step_failure', stepJson(deployment, step)),
        stamp('deployment_failed', { ...ended, reason: event.reason ?? '' }),
      ];
    }
    case 'task_launched':
      return [stamp('instance_changed_event', instanceJson(event.task, 'Provisioned'))];
    case 'task_draining': {
      const task = state.tasks.get(event.taskId);
      return task ? [stamp('instance_draining', drainingJson(task, event.until))] : [];
    }
    case 'task_killed': {
      // Sent at the kill, not when Mesos confirms it: from here on the task is not an endpoint any more.
      const task = state.tasks.get(event.taskId);
      if (!task || task.killedAt !== undefined) return [];
      const { unhealthy: reason } = event;
      return [
        stamp('instance_changed_event', instanceJson(task, 'Killing')),
        ...(reason === undefined ? [] : unhealthyKillEvents(task, reason, stamp)),
      ];
    }
    case 'task_given_up': {
      const task = state.tasks.get(event.taskId);
      return task ? [stamp('instance_changed_event', instanceJson(task, 'UnreachableInactive'))] : [];
    }
    case 'framework_message': {
      const { agentId: slaveId, executorId, data: message } = event;
      return [stamp('framework_message_event', { slaveId, executorId, message })];
    }
    case 'task_updated': {
      const task = state.tasks.get(event.taskId);
      return task ? eventsForUpdate(state, task, event, stamp) : [];
    }
    case 'task_probed': {
      const task = state.tasks.get(event.taskId);
      const check = task && checkOfProbe(state, task, event.probe);
      // A readiness check has no events.
      if (!check) return [];
      const { healthy } = event;
      const probed = [...(task.probed ?? [])];
      const changed = probed[event.probe]?.healthy !== healthy;
      probed[event.probe] = { healthy, consecutiveFailures: 0 };
      return [
        ...(healthy ? [] : failedChecks(task, [check], stamp)),
        ...(changed ? healthEvents({ ...task, probed }, healthy, stamp) : []),
      ];
    }
    case 'task_checked': {
      const task = state.tasks.get(event.taskId);
      if (!task || event.healthy) return [];
      return failedChecks(task, checksOf(state, task).filter(isOnAgent), stamp);
    }
    default:
      return [];
  }
}

function changeEvents(
  {
    deploymentId,
    version,
    at,
    apps,
    groupIds,
    client,
    isEmpty,
  }: Extract<StateEvent, { type: 'change_accepted' }>,
  role: string,
  stamp: Stamp,
): ServerEvent[] {
  const plan = planJson({
    id: deploymentId,
    version,
    startedAt: at,
    steps: [],
    before: { apps: [], groups: [] },
  });
  return [
    ...apps.map((app) =>
      stamp('api_post_event', {
        appDefinition: definitionJson(app, role),
        clientIp: client?.address ?? '',
        uri: client?.uri ?? `/v2/apps${app.id}`,
      }),
    ),
    ...groupIds.map((groupId) => stamp('group_change_success', { groupId, version })),
    ...(isEmpty ? [stamp('deployment_success', { id: deploymentId, plan })] : []),
  ];
}

function removedChecks({ id: appId, version, healthChecks }: App, stamp: Stamp): ServerEvent[] {
  return healthChecks.map((healthCheck) =>
    stamp('remove_health_check_event', { appId, version, healthCheck }),
  );
}

/** Marathon's documentation has both names. */
function unhealthyKillEvents(
  { id: taskId, appId, version, host, agentId: slaveId }: Task,
  reason: string,
  stamp: Stamp,
): ServerEvent[] {
  const killed = { appId, taskId, version, reason, host, slaveId };
  return [
    stamp('unhealthy_task_kill_event', killed),
    stamp('unhealthy_instance_kill_event', { ...killed, instanceId: instanceIdOf(taskId) }),
  ];
}

function checksOf(state: State, task: Task): App['healthChecks'] {
  const record = ownerOf(state, task);
  return record ? launchedApp(record, task).healthChecks : [];
}

function checkOfProbe(state: State, task: Task, probe: number): HealthCheck | undefined {
  return checksOf(state, task).filter((check) => !isOnAgent(check))[probe];
}

function failedChecks(
  { id: taskId, appId }: Task,
  checks: readonly HealthCheck[],
  stamp: Stamp,
): ServerEvent[] {
  const failed = { appId, taskId, instanceId: instanceIdOf(taskId) };
  return checks.map((healthCheck) => stamp('failed_health_check_event', { ...failed, healthCheck }));
}

/**
 * @param task with the new result
 * @param alive the new result of one check
 */
function healthEvents(task: Task, alive: boolean, stamp: Stamp): ServerEvent[] {
  const { id: taskId, appId, version } = task;
  const instance = { instanceId: instanceIdOf(taskId), runSpecId: appId, runSpecVersion: version };
  return [
    stamp('instance_health_changed_event', { ...instance, healthy: !isUnhealthy(task) }),
    stamp('health_status_changed_event', { appId, taskId, instanceId: instanceIdOf(taskId), version, alive }),
  ];
}

function stepJson(deployment: Deployment, step: number): Data<'deployment_info'> {
  const actions = currentActions({ deployment, step }).map(actionJson);
  return { plan: planJson(deployment), currentStep: { actions } };
}

function eventsForUpdate(
  state: State,
  task: Task,
  event: Extract<StateEvent, { type: 'task_updated' }>,
  stamp: Stamp,
): ServerEvent[] {
  const { agentId, id: taskId, appId, host, ports, version, addresses: ipAddresses = [] } = task;
  const events: ServerEvent[] = [];
  if (event.state !== task.state || event.healthy === undefined) {
    const { message = '' } = event;
    events.push(
      stamp('status_update_event', {
        slaveId: agentId,
        taskId,
        taskStatus: event.state,
        message,
        appId,
        host,
        ports,
        ipAddresses,
        version,
      }),
      stamp('instance_changed_event', instanceJson(task, CONDITIONS[event.state] ?? 'Unknown')),
    );
  }
  // An agent that is drained kills its tasks without the scheduler.
  if (event.state === 'TASK_KILLING' && !isEnding(task))
    events.unshift(stamp('instance_draining', drainingJson(task, event.at)));
  if (event.healthy !== undefined && event.healthy !== task.healthy) {
    events.push(...healthEvents({ ...task, healthy: event.healthy }, event.healthy, stamp));
    if (!event.healthy && isTerminal(event.state)) {
      events.push(...unhealthyKillEvents(task, event.message ?? '', stamp));
    }
  }
  if (!ownerOf(state, task) && isTerminal(event.state) && !isReady(task)) {
    events.push(
      stamp('unknown_instance_terminated_event', {
        instanceId: instanceIdOf(taskId),
        runSpecId: appId,
        condition: CONDITIONS[event.state] ?? 'Unknown',
      }),
    );
  }
  return events;
}

const CONDITIONS: Readonly<Partial<Record<Task['state'], Condition>>> = {
  TASK_STAGING: 'Staging',
  TASK_STARTING: 'Starting',
  TASK_RUNNING: 'Running',
  TASK_KILLING: 'Killing',
  TASK_FINISHED: 'Finished',
  TASK_FAILED: 'Failed',
  TASK_KILLED: 'Killed',
  TASK_ERROR: 'Error',
  TASK_LOST: 'Unreachable',
  TASK_DROPPED: 'Dropped',
  TASK_UNREACHABLE: 'Unreachable',
  TASK_GONE: 'Gone',
  TASK_GONE_BY_OPERATOR: 'Gone',
};

function drainingJson(
  { id, appId, version, host, agentId }: Task,
  killAt: number,
): Data<'instance_draining'> {
  return {
    instanceId: instanceIdOf(id),
    runSpecId: appId,
    agentId,
    host,
    runSpecVersion: version,
    killAt: new Date(killAt).toISOString(),
  };
}

function instanceJson(
  { id, appId, version, host, agentId }: Task,
  condition: Condition,
): Data<'instance_changed_event'> {
  return {
    instanceId: instanceIdOf(id),
    condition,
    runSpecId: appId,
    agentId,
    host,
    runSpecVersion: version,
  };
}
