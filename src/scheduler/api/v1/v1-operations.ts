/** Operations of v1. */

import * as z from 'zod';
import { errorSchemas } from '../openapi/error-schemas.ts';
import type { Operation } from '../openapi/operation.ts';
import { v1AnswerSchemas } from './answer-schemas.ts';

const { V1AppStatus, V1Endpoints, V1Task } = v1AnswerSchemas;

const APPS = { 200: { json: z.array(V1AppStatus) } };
/** Tasks by the id of their app. */
const TASKS = { 200: { json: z.record(z.string(), z.array(V1Task)) } };
const lines = z
  .string()
  .meta({ description: 'One line for each port: the app, the service port, and host:port of each task' });

export const V1_OPERATIONS = [
  { method: 'GET', path: '/v1/apps', summary: 'List the apps in the format of v1', answers: APPS },
  {
    method: 'GET',
    path: '/v1/apps/search',
    summary: 'Search apps by id and command',
    query: ['id', 'cmd'],
    answers: APPS,
  },
  {
    method: 'POST',
    path: '/v1/apps/start',
    summary: 'Start an app',
    body: 'V1App',
    answers: { 204: {} },
    refusals: [422],
  },
  {
    method: 'POST',
    path: '/v1/apps/stop',
    summary: 'Stop an app',
    body: 'V1Stop',
    answers: { 204: {} },
    refusals: [404, 422],
  },
  {
    method: 'POST',
    path: '/v1/apps/scale',
    summary: 'Change the number of instances of an app',
    body: 'V1Scale',
    answers: { 204: {} },
    refusals: [404, 422],
  },
  {
    method: 'GET',
    path: '/v1/apps/{id}/tasks',
    route: '/v1/apps/:id/tasks',
    summary: 'List the tasks of an app',
    answers: TASKS,
    refusals: [404],
  },
  { method: 'GET', path: '/v1/tasks', summary: 'List all tasks by app', answers: TASKS },
  {
    method: 'POST',
    path: '/v1/tasks/kill',
    summary: 'Kill tasks',
    query: ['appId', 'host', 'id', 'scale'],
    answers: { 200: { json: z.array(V1Task) } },
    refusals: [404],
  },
  {
    method: 'GET',
    path: '/v1/endpoints',
    summary: 'List the addresses of all apps, one line for each port',
    answers: { 200: { text: lines, json: z.array(V1Endpoints) } },
  },
  {
    method: 'GET',
    path: '/v1/endpoints/{id}',
    route: '/v1/endpoints/:id',
    summary: 'List the addresses of an app',
    answers: {
      200: { text: lines, json: V1Endpoints },
      404: { text: z.string(), json: errorSchemas.Message },
    },
  },
  {
    method: 'GET',
    path: '/v1/debug/isLeader',
    summary: 'Return true',
    answers: { 200: { json: z.literal(true) } },
  },
  {
    method: 'GET',
    path: '/v1/debug/leaderUrl',
    summary: 'Show the address of the leading scheduler',
    answers: { 200: { json: z.string() } },
  },
] as const satisfies readonly Operation[];
