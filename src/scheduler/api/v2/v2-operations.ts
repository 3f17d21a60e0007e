/**
 * The operations of v2 on deployments, groups, the queue and the scheduler itself, and the operations without a
 * version.
 */

import * as z from 'zod';
import { errorSchemas } from '../openapi/error-schemas.ts';
import type { Operation } from '../openapi/operation.ts';
import { emptyList, time } from '../openapi/shown.ts';
import { agentSchemas } from './agent-schemas.ts';
import { v2AppSchemas } from './app-schemas.ts';
import { v2DeploymentSchemas } from './deployment-schemas.ts';
import { endpointSchemas } from './endpoint-schemas.ts';
import { execSchemas } from './exec-schemas.ts';
import { queueSchemas } from './queue-schemas.ts';
import { schedulerSchemas } from './scheduler-schemas.ts';
import { sessionSchemas } from './session-schemas.ts';

const { GroupStatus, AppStatus } = v2AppSchemas;
const { ChangeAnswer, Deployment, DeploymentChange, DeploymentDetails, DeploymentPlan } = v2DeploymentSchemas;
const { Info, Leader, Metrics } = schedulerSchemas;
const { AgentDrain, Agents } = agentSchemas;
const { Message } = errorSchemas;
const { Session } = sessionSchemas;
const { ExecSession } = execSchemas;

const GROUP = '/v2/groups/*';
const CHANGE = ['force', 'dryRun', 'embed'] as const;
const CHANGED = { 200: { json: ChangeAnswer } };
const MADE = { 200: { json: DeploymentPlan }, 201: { json: DeploymentChange } };
const NO_CALLBACKS = { 400: { json: Message } };

export const V2_OPERATIONS = [
  {
    method: 'GET',
    path: '/v2/agents',
    summary: 'List the agents of the cluster, with what is used, reserved and offered',
    answers: { 200: { json: Agents } },
  },
  {
    method: 'POST',
    path: '/v2/agents/{id}/drain',
    route: '/v2/agents/:id/drain',
    summary:
      'Replace the tasks of an agent on other agents, by the rules of a deployment; may be repeated, and must be after a failover',
    answers: { 200: { json: AgentDrain } },
    refusals: [404, 503],
  },
  {
    method: 'GET',
    path: '/v2/agents/{id}/drain',
    route: '/v2/agents/:id/drain',
    summary: 'Show the progress of a drain',
    answers: { 200: { json: AgentDrain } },
    refusals: [404],
  },
  {
    method: 'DELETE',
    path: '/v2/agents/{id}/drain',
    route: '/v2/agents/:id/drain',
    summary: 'End a drain: the agent gets tasks again as soon as Mesos offers it',
    answers: { 204: {} },
  },
  {
    method: 'POST',
    path: '/v2/tasks/{id}/exec',
    route: '/v2/tasks/:id/exec',
    summary: 'Create a session that runs a command in the container of a task',
    body: 'Exec',
    answers: { 201: { json: ExecSession } },
    refusals: [403, 404, 409, 422],
  },
  {
    method: 'GET',
    path: '/v2/exec/{session}',
    route: '/v2/exec/:session',
    summary: 'Begin an exec session with a WebSocket; a session can begin once, within 30 s',
    role: 'operator',
    answers: { 101: {}, 426: { json: Message } },
    refusals: [403, 404],
  },
  {
    method: 'GET',
    path: '/v2/session',
    summary: 'Show who is signed in, and whether that is needed',
    role: 'none',
    answers: { 200: { json: Session } },
  },
  {
    method: 'POST',
    path: '/v2/session',
    summary: 'Sign in with a browser: the answer sets the cookie of a session, which other requests may send',
    role: 'none',
    body: 'SignIn',
    answers: { 200: { json: Session }, 401: { json: Message }, 429: { json: Message } },
    refusals: [403, 409, 422, 503],
  },
  {
    method: 'DELETE',
    path: '/v2/session',
    summary: 'Sign out: end the session of the cookie, and its open connections',
    role: 'none',
    answers: { 204: {} },
    refusals: [403, 503],
  },
  {
    method: 'GET',
    path: '/v2/endpoints',
    summary: 'List the apps with their labels and the addresses of their tasks, for load balancers',
    answers: { 200: { json: endpointSchemas.Endpoints } },
  },
  {
    method: 'GET',
    path: '/v2/deployments',
    summary: 'List the running deployments',
    answers: { 200: { json: z.array(Deployment) } },
  },
  {
    method: 'GET',
    path: '/v2/deployments/{id}',
    route: '/v2/deployments/:id',
    summary: 'Show a running deployment, with its failures',
    answers: { 200: { json: DeploymentDetails } },
    refusals: [404],
  },
  {
    method: 'DELETE',
    path: '/v2/deployments/{id}',
    route: '/v2/deployments/:id',
    summary: 'Roll back a deployment; with force, stop it where it is',
    query: CHANGE,
    answers: { ...CHANGED, 202: { json: z.object({}) } },
    refusals: [404, 409],
  },
  {
    method: 'GET',
    path: '/v2/groups',
    summary: 'Show the root group and everything in it',
    query: ['embed'],
    answers: { 200: { json: GroupStatus } },
  },
  {
    method: 'POST',
    path: '/v2/groups',
    summary: 'Create a group',
    body: 'Group',
    query: CHANGE,
    answers: MADE,
    refusals: [409, 422],
  },
  {
    method: 'PUT',
    path: '/v2/groups',
    summary: 'Create or change a group',
    body: 'Group',
    query: CHANGE,
    answers: CHANGED,
    refusals: [404, 409, 422],
  },
  {
    method: 'DELETE',
    path: '/v2/groups',
    summary: 'Remove all groups and apps',
    query: CHANGE,
    answers: CHANGED,
    refusals: [409],
  },
  {
    method: 'GET',
    path: '/v2/groups/{id}',
    route: GROUP,
    summary: 'Show a group',
    query: ['embed'],
    answers: { 200: { json: GroupStatus } },
    refusals: [404],
  },
  {
    method: 'GET',
    path: '/v2/groups/{id}/apps',
    route: GROUP,
    summary: 'List the apps of a group, at any depth',
    query: ['embed'],
    answers: { 200: { json: z.object({ apps: z.array(AppStatus) }) } },
    refusals: [404],
  },
  {
    method: 'GET',
    path: '/v2/groups/{id}/versions',
    route: GROUP,
    summary: 'Show the current version of a group',
    answers: { 200: { json: z.array(time) } },
    refusals: [404],
  },
  {
    method: 'GET',
    path: '/v2/groups/{id}/versions/{version}',
    route: GROUP,
    summary: 'Show a group in its current version; older versions are not kept',
    query: ['embed'],
    answers: { 200: { json: GroupStatus } },
    refusals: [404],
  },
  {
    method: 'POST',
    path: '/v2/groups/{id}',
    route: GROUP,
    summary: 'Create a group within a group',
    body: 'Group',
    query: CHANGE,
    answers: MADE,
    refusals: [409, 422],
  },
  {
    method: 'PUT',
    path: '/v2/groups/{id}',
    route: GROUP,
    summary: 'Create or change a group; with only scaleBy, multiply the instances of its apps',
    body: 'Group',
    query: CHANGE,
    answers: CHANGED,
    refusals: [404, 409, 422],
  },
  {
    method: 'DELETE',
    path: '/v2/groups/{id}',
    route: GROUP,
    summary: 'Remove a group and everything in it',
    query: CHANGE,
    answers: CHANGED,
    refusals: [404, 409],
  },
  {
    method: 'GET',
    path: '/v2/queue',
    summary: 'List the waiting apps with the reasons',
    query: ['embed'],
    answers: { 200: { json: queueSchemas.Queue } },
  },
  {
    method: 'DELETE',
    path: '/v2/queue/{id}/delay',
    route: '/v2/queue/*',
    summary: 'End the launch delay of an app whose tasks keep failing',
    answers: { 204: {} },
    refusals: [404],
  },
  {
    method: 'GET',
    path: '/v2/info',
    summary: 'Show the scheduler and its configuration',
    query: ['embed'],
    answers: { 200: { json: Info } },
  },
  {
    method: 'GET',
    path: '/v2/leader',
    summary: 'Show the leading scheduler',
    answers: { 200: { json: Leader } },
  },
  {
    method: 'DELETE',
    path: '/v2/leader',
    summary: 'Hand over the leadership to another scheduler',
    answers: { 200: { json: Message } },
    refusals: [409],
  },
  {
    method: 'GET',
    path: '/v2/events',
    summary: 'Stream events as server-sent events; resumes after Last-Event-ID',
    query: ['event_type', 'plan-format'],
    answers: {
      200: { events: z.string().meta({ description: 'The data of each event is an Event, as JSON' }) },
    },
  },
  {
    method: 'GET',
    path: '/v2/eventSubscriptions',
    summary: 'Return an empty list: callbacks are not supported',
    answers: { 200: { json: z.object({ callbackUrls: emptyList }) } },
  },
  {
    method: 'POST',
    path: '/v2/eventSubscriptions',
    summary: 'Rejected: callbacks are not supported, read /v2/events',
    answers: NO_CALLBACKS,
  },
  {
    method: 'DELETE',
    path: '/v2/eventSubscriptions',
    summary: 'Rejected: callbacks are not supported, read /v2/events',
    answers: NO_CALLBACKS,
  },
  {
    method: 'GET',
    path: '/v2/pods',
    summary: 'Return an empty list: pods are not supported',
    answers: { 200: { json: emptyList } },
  },
  {
    method: 'GET',
    path: '/v2/openapi.json',
    summary: 'Show this description as JSON',
    answers: { 200: { json: z.looseObject({ openapi: z.string() }) } },
  },
  {
    method: 'GET',
    path: '/v2/openapi',
    summary: 'Show this description as a page',
    answers: { 200: { html: z.string() } },
  },
  {
    method: 'GET',
    path: '/ping',
    summary: 'Check that the scheduler answers',
    role: 'none',
    answers: { 200: { text: z.literal('pong') } },
  },
  {
    method: 'GET',
    path: '/metrics',
    summary: "Show metrics in Marathon's format",
    answers: { 200: { json: Metrics } },
  },
  {
    method: 'GET',
    path: '/metrics/prometheus',
    summary: 'Show metrics for Prometheus',
    answers: { 200: { text: z.string() } },
  },
] as const satisfies readonly Operation[];
