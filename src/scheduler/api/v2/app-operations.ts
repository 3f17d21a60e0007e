/** Operations on apps and their tasks. */

import * as z from 'zod';
import type { Operation } from '../openapi/operation.ts';
import { time } from '../openapi/shown.ts';
import { v2AppSchemas } from './app-schemas.ts';
import { v2DeploymentSchemas } from './deployment-schemas.ts';
import { queueSchemas } from './queue-schemas.ts';
import { taskFilesSchemas } from './task-files-schemas.ts';

const { AppList, AppStatus, AppVersion, EndedTask, EndedTasks, TaskList } = v2AppSchemas;
const { ChangeAnswer, DeploymentChange, DeploymentPlan } = v2DeploymentSchemas;

const APP = '/v2/apps/*';
const CHANGE = ['force', 'dryRun', 'embed'] as const;
const PAGE = ['limit', 'cursor', 'fields'] as const;
const CHANGE_ONE = [...CHANGE, 'ifVersion'] as const;
const CHANGED = { 200: { json: ChangeAnswer } };
const ENDED = { 200: { json: z.union([EndedTasks, DeploymentChange]) } };
const haproxy = z.string().meta({ description: 'The format that haproxy-marathon-bridge reads' });
const output = z.string().meta({ description: 'The bytes as the task wrote them' });
const outputEvents = z.string().meta({
  description:
    'Events stdout and stderr: JSON with text, and with lost if output before it was removed unread. The last event is end, or error with a message. The first id comes before the first event. Resumes after Last-Event-ID',
});

export const V2_APP_OPERATIONS = [
  {
    method: 'GET',
    path: '/v2/apps',
    summary: 'List apps',
    query: ['cmd', 'id', 'label', 'embed', ...PAGE],
    answers: { 200: { json: AppList, text: haproxy } },
  },
  {
    method: 'POST',
    path: '/v2/apps',
    summary: 'Create an app',
    body: 'App',
    query: CHANGE,
    answers: { 200: { json: DeploymentPlan }, 201: { json: AppStatus } },
    refusals: [409, 422],
  },
  {
    method: 'PUT',
    path: '/v2/apps',
    summary: 'Create or change several apps at once',
    body: ['AppUpdate'],
    query: [...CHANGE, 'partialUpdate'],
    answers: CHANGED,
    refusals: [404, 409, 422],
  },
  {
    method: 'PATCH',
    path: '/v2/apps',
    summary: 'Change several apps at once',
    body: ['AppUpdate'],
    query: CHANGE,
    answers: CHANGED,
    refusals: [404, 409, 422],
  },
  {
    method: 'GET',
    path: '/v2/apps/{id}',
    route: APP,
    summary: 'Show an app',
    query: ['embed'],
    answers: { 200: { json: z.object({ app: AppStatus }) } },
    refusals: [404],
  },
  {
    method: 'PUT',
    path: '/v2/apps/{id}',
    route: APP,
    summary: 'Create or change an app; with only a version in the body, revert to that version',
    body: 'AppUpdate',
    query: [...CHANGE_ONE, 'partialUpdate'],
    answers: { ...CHANGED, 201: { json: DeploymentChange } },
    refusals: [404, 409, 412, 422],
  },
  {
    method: 'PATCH',
    path: '/v2/apps/{id}',
    route: APP,
    summary: 'Change an app',
    body: 'AppUpdate',
    query: CHANGE_ONE,
    answers: CHANGED,
    refusals: [404, 409, 412, 422],
  },
  {
    method: 'DELETE',
    path: '/v2/apps/{id}',
    route: APP,
    summary: 'Remove an app and kill its tasks',
    query: CHANGE_ONE,
    answers: CHANGED,
    refusals: [404, 409, 412],
  },
  {
    method: 'GET',
    path: '/v2/apps/{group}/*',
    route: APP,
    summary: 'List the apps of a group, at any depth',
    query: ['embed'],
    answers: { 200: { json: z.object({ '*': z.array(AppStatus) }) } },
  },
  {
    method: 'POST',
    path: '/v2/apps/{id}/restart',
    route: APP,
    summary: 'Replace all tasks of an app',
    query: CHANGE_ONE,
    answers: CHANGED,
    refusals: [404, 409, 412],
  },
  {
    method: 'GET',
    path: '/v2/apps/{id}/versions',
    route: APP,
    summary: 'List the versions of an app, newest first',
    answers: { 200: { json: z.object({ versions: z.array(time) }) } },
    refusals: [404],
  },
  {
    method: 'GET',
    path: '/v2/apps/{id}/versions/{version}',
    route: APP,
    summary: 'Show a version of an app',
    answers: { 200: { json: AppVersion } },
    refusals: [404],
  },
  {
    method: 'GET',
    path: '/v2/apps/{id}/explain',
    route: APP,
    summary: 'Explain for each agent why an app is waiting, and which change would place it',
    answers: { 200: { json: queueSchemas.Explanation, text: z.string() } },
    refusals: [404],
  },
  {
    method: 'GET',
    path: '/v2/apps/{id}/tasks',
    route: APP,
    summary: 'List the tasks of an app',
    query: ['containerNetworks'],
    answers: { 200: { json: TaskList, text: haproxy } },
    refusals: [404],
  },
  {
    method: 'DELETE',
    path: '/v2/apps/{id}/tasks',
    route: APP,
    summary: 'Kill tasks of an app',
    query: ['host', 'scale', 'wipe', 'force'],
    answers: ENDED,
    refusals: [404, 409],
  },
  {
    method: 'DELETE',
    path: '/v2/apps/{id}/tasks/{taskId}',
    route: APP,
    summary: 'Kill a task',
    query: ['scale', 'wipe', 'force'],
    answers: { 200: { json: z.union([EndedTask, DeploymentChange]) } },
    refusals: [404, 409],
  },
  {
    method: 'GET',
    path: '/v2/tasks',
    summary: 'List all tasks',
    query: ['status', 'agent', 'containerNetworks', ...PAGE],
    answers: { 200: { json: TaskList, text: haproxy } },
  },
  {
    method: 'GET',
    path: '/v2/tasks/{id}/log',
    route: '/v2/tasks/:id/log',
    summary: 'Show the output of a task, also of one that has ended',
    query: ['stream', 'tail', 'since', 'follow'],
    answers: { 200: { text: output, events: outputEvents } },
    refusals: [404, 422, 502, 503, 504],
  },
  {
    method: 'GET',
    path: '/v2/tasks/{id}/files',
    route: '/v2/tasks/:id/files',
    role: 'operator',
    summary: "List a directory of a task's sandbox, or read a file in it",
    query: ['path', 'offset', 'length'],
    answers: { 200: { json: taskFilesSchemas.TaskFiles, bytes: z.string() } },
    refusals: [404, 422, 502, 504],
  },
  {
    method: 'POST',
    path: '/v2/tasks/delete',
    summary: 'Kill the tasks with the given ids',
    body: 'TaskIds',
    query: ['scale', 'wipe', 'force'],
    answers: ENDED,
    refusals: [409, 422],
  },
] as const satisfies readonly Operation[];
