/** The operations of v2 on deployments, groups, the queue and the scheduler itself, and those without a version. */

import * as z from 'zod';
import { errorSchemas } from '../openapi/error-schemas.ts';
import type { Operation } from '../openapi/operation.ts';
import { emptyList, time } from '../openapi/shown.ts';
import { v2AppSchemas } from './app-schemas.ts';
import { v2DeploymentSchemas } from './deployment-schemas.ts';
import { queueSchemas } from './queue-schemas.ts';
import { schedulerSchemas } from './scheduler-schemas.ts';

const { GroupStatus, AppStatus } = v2AppSchemas;
const { ChangeAnswer, Deployment, DeploymentChange, DeploymentDetails, DeploymentPlan } = v2DeploymentSchemas;
const { Info, Leader, Metrics } = schedulerSchemas;
const { Message } = errorSchemas;

const GROUP = '/v2/groups/*';
const CHANGE = ['force', 'dryRun'] as const;
const CHANGED = { 200: { json: ChangeAnswer } };
const MADE = { 200: { json: DeploymentPlan }, 201: { json: DeploymentChange } };
const NO_CALLBACKS = { 400: { json: Message } };

export const V2_OPERATIONS: readonly Operation[] = [
  {
    method: 'GET',
    path: '/v2/deployments',
    summary: 'The deployments under way',
    answers: { 200: { json: z.array(Deployment) } },
  },
  {
    method: 'GET',
    path: '/v2/deployments/{id}',
    route: '/v2/deployments/:id',
    summary: 'One of them, with its failures',
    answers: { 200: { json: DeploymentDetails } },
    refusals: [404],
  },
  {
    method: 'DELETE',
    path: '/v2/deployments/{id}',
    route: '/v2/deployments/:id',
    summary: 'Changes back what a deployment has changed; with force, leaves it half-way',
    query: CHANGE,
    answers: { ...CHANGED, 202: { json: z.object({}) } },
    refusals: [404, 409],
  },
  {
    method: 'GET',
    path: '/v2/groups',
    summary: 'The root group, with all that is in it',
    query: ['embed'],
    answers: { 200: { json: GroupStatus } },
  },
  {
    method: 'POST',
    path: '/v2/groups',
    summary: 'Makes a group',
    body: 'Group',
    query: CHANGE,
    answers: MADE,
    refusals: [409, 422],
  },
  {
    method: 'PUT',
    path: '/v2/groups',
    summary: 'Makes or changes a group',
    body: 'Group',
    query: CHANGE,
    answers: CHANGED,
    refusals: [404, 409, 422],
  },
  {
    method: 'DELETE',
    path: '/v2/groups',
    summary: 'Removes all there is',
    query: CHANGE,
    answers: CHANGED,
    refusals: [409],
  },
  {
    method: 'GET',
    path: '/v2/groups/{id}',
    route: GROUP,
    summary: 'A group',
    query: ['embed'],
    answers: { 200: { json: GroupStatus } },
    refusals: [404],
  },
  {
    method: 'GET',
    path: '/v2/groups/{id}/apps',
    route: GROUP,
    summary: 'The apps of a group, at any depth',
    query: ['embed'],
    answers: { 200: { json: z.object({ apps: z.array(AppStatus) }) } },
    refusals: [404],
  },
  {
    method: 'GET',
    path: '/v2/groups/{id}/versions',
    route: GROUP,
    summary: 'The version of a group that is in force',
    answers: { 200: { json: z.array(time) } },
    refusals: [404],
  },
  {
    method: 'POST',
    path: '/v2/groups/{id}',
    route: GROUP,
    summary: 'Makes a group within a group',
    body: 'Group',
    query: CHANGE,
    answers: MADE,
    refusals: [409, 422],
  },
  {
    method: 'PUT',
    path: '/v2/groups/{id}',
    route: GROUP,
    summary: 'Makes or changes a group; with scaleBy alone, multiplies the instances of its apps',
    body: 'Group',
    query: CHANGE,
    answers: CHANGED,
    refusals: [404, 409, 422],
  },
  {
    method: 'DELETE',
    path: '/v2/groups/{id}',
    route: GROUP,
    summary: 'Removes a group with all that is in it',
    query: CHANGE,
    answers: CHANGED,
    refusals: [404, 409],
  },
  {
    method: 'GET',
    path: '/v2/queue',
    summary: 'Apps that wait, and why',
    query: ['embed'],
    answers: { 200: { json: queueSchemas.Queue } },
  },
  {
    method: 'DELETE',
    path: '/v2/queue/{id}/delay',
    route: '/v2/queue/*',
    summary: 'Lets an app that waits since its tasks keep failing launch at once',
    answers: { 204: {} },
    refusals: [404],
  },
  {
    method: 'GET',
    path: '/v2/info',
    summary: 'The scheduler and how it is set up',
    query: ['embed'],
    answers: { 200: { json: Info } },
  },
  { method: 'GET', path: '/v2/leader', summary: 'Which scheduler leads', answers: { 200: { json: Leader } } },
  {
    method: 'DELETE',
    path: '/v2/leader',
    summary: 'Lets another scheduler lead',
    answers: { 200: { json: Message } },
    refusals: [409],
  },
  {
    method: 'GET',
    path: '/v2/events',
    summary: 'What happens, as server-sent events; goes on after Last-Event-ID',
    query: ['event_type', 'plan-format'],
    answers: {
      200: { events: z.string().meta({ description: 'The data of each event is an Event, as JSON' }) },
    },
  },
  {
    method: 'GET',
    path: '/v2/eventSubscriptions',
    summary: 'None: callbacks are not made',
    answers: { 200: { json: z.object({ callbackUrls: emptyList }) } },
  },
  {
    method: 'POST',
    path: '/v2/eventSubscriptions',
    summary: 'Refused: events are read from /v2/events',
    answers: NO_CALLBACKS,
  },
  {
    method: 'DELETE',
    path: '/v2/eventSubscriptions',
    summary: 'Refused: events are read from /v2/events',
    answers: NO_CALLBACKS,
  },
  {
    method: 'GET',
    path: '/v2/pods',
    summary: 'None: there are no pods',
    answers: { 200: { json: emptyList } },
  },
  {
    method: 'GET',
    path: '/v2/openapi.json',
    summary: 'This description',
    answers: { 200: { json: z.looseObject({ openapi: z.string() }) } },
  },
  {
    method: 'GET',
    path: '/v2/openapi',
    summary: 'This description, to be read by people',
    answers: { 200: { html: z.string() } },
  },
  {
    method: 'GET',
    path: '/ping',
    summary: 'Whether the scheduler answers; without authentication',
    answers: { 200: { text: z.literal('pong') } },
  },
  {
    method: 'GET',
    path: '/metrics',
    summary: 'Figures, as Marathon named them',
    answers: { 200: { json: Metrics } },
  },
  {
    method: 'GET',
    path: '/metrics/prometheus',
    summary: 'Figures for Prometheus',
    answers: { 200: { text: z.string() } },
  },
];
