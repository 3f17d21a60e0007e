/** The events of `/v2/events`, with Marathon's names. */

import * as z from 'zod';
import { TASK_STATES } from '../../../mesos/types.ts';
import { healthCheckSchema } from '../../domain/app-schema.ts';
import { emptyList, type Shown, time } from '../openapi/shown.ts';
import { taskAddress, v2AppSchemas } from './app-schemas.ts';
import { v2DeploymentSchemas } from './deployment-schemas.ts';

const text = z.string();
const flag = z.boolean();

function event<const T extends string, S extends z.ZodRawShape>(eventType: T, fields: S) {
  return z.object({ ...fields, eventType: z.literal(eventType), timestamp: time });
}

const group = z.object({
  id: text,
  version: time,
  apps: z.array(z.object({ id: text, version: time })),
  groups: emptyList,
  dependencies: emptyList,
  pods: emptyList,
});

const { steps } = v2DeploymentSchemas.DeploymentPlan.shape;
const leftOut = { description: 'Absent with plan-format=light' };

const plan = z.object({
  id: text,
  version: time,
  original: group.optional().meta(leftOut),
  target: group.optional().meta(leftOut),
  steps,
});

const step = { plan, currentStep: steps.element };
const ended = { id: text, plan };
const instance = { instanceId: text, runSpecId: text };
const ofTask = { appId: text, taskId: text, version: time };
const killed = { ...ofTask, reason: text, host: text, slaveId: text };

const condition = z.enum([
  'Provisioned',
  'Staging',
  'Starting',
  'Running',
  'Killing',
  'Finished',
  'Failed',
  'Killed',
  'Error',
  'Unreachable',
  'UnreachableInactive',
  'Dropped',
  'Gone',
  'Unknown',
]);

const events = z.discriminatedUnion('eventType', [
  event('scheduler_registered_event', { frameworkId: text, master: text }),
  event('scheduler_reregistered_event', { master: text }),
  event('scheduler_disconnected_event', {}),
  event('event_stream_attached', { remoteAddress: text }),
  event('event_stream_detached', { remoteAddress: text }),
  event('api_post_event', { appDefinition: v2AppSchemas.AppVersion, clientIp: text, uri: text }),
  event('add_health_check_event', { appId: text, version: time, healthCheck: healthCheckSchema }),
  event('remove_health_check_event', { appId: text, version: time, healthCheck: healthCheckSchema }),
  event('app_terminated_event', { appId: text }),
  event('group_change_success', { groupId: text, version: time }),
  event('group_change_failed', { groupId: text, version: time, reason: text }),
  event('deployment_info', step),
  event('deployment_step_success', step),
  event('deployment_step_failure', step),
  event('deployment_success', ended),
  event('deployment_failed', { ...ended, reason: text }),
  event('status_update_event', {
    ...ofTask,
    slaveId: text,
    taskStatus: z.enum(TASK_STATES),
    message: text,
    host: text,
    ports: z.array(z.number()),
    ipAddresses: z.array(taskAddress),
  }),
  event('instance_changed_event', {
    ...instance,
    condition,
    agentId: text,
    host: text,
    runSpecVersion: time,
  }),
  /** Not in Marathon. The instance is not an endpoint any more, and is killed at `killAt`. */
  event('instance_draining', { ...instance, agentId: text, host: text, runSpecVersion: time, killAt: time }),
  event('instance_health_changed_event', { ...instance, runSpecVersion: time, healthy: flag }),
  event('failed_health_check_event', {
    appId: text,
    taskId: text,
    instanceId: text,
    healthCheck: healthCheckSchema,
  }),
  event('health_status_changed_event', { ...ofTask, instanceId: text, alive: flag }),
  event('unhealthy_task_kill_event', killed),
  event('unhealthy_instance_kill_event', { ...killed, instanceId: text }),
  event('unknown_instance_terminated_event', { ...instance, condition }),
  /** Of the executor of an app, with the message in base64. */
  event('framework_message_event', { slaveId: text, executorId: text, message: text }),
]);

/** Named as in the API's description. */
export const eventSchemas = { Event: events };

export type ServerEvent = Shown<typeof events>;
export type EventType = ServerEvent['eventType'];
export type EventOf<T extends EventType> = Extract<ServerEvent, { readonly eventType: T }>;
export type PlanJson = Shown<typeof plan>;
export type Condition = Shown<typeof condition>;
