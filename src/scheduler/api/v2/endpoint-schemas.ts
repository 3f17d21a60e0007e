/** Schemas of `GET /v2/endpoints`, which Marathon does not have. */

import * as z from 'zod';
import { appFields } from '../../domain/app-schema.ts';
import type { Shown } from '../openapi/shown.ts';

const { labels } = appFields.shape;

const port = z.object({
  servicePort: z.number(),
  protocol: z.string(),
  name: z.string().optional(),
  /** Of the first health check of this port. */
  checkProtocol: z.string().optional(),
});

const task = z.object({
  id: z.string(),
  host: z.string().meta({ description: 'The host name of the agent' }),
  /** ready: serves requests; ending: drains or is being killed; waiting: is not healthy, or does not run yet. */
  state: z.enum(['ready', 'ending', 'waiting']),
  unchecked: z.boolean().optional().meta({
    description:
      'True if a waiting task runs, no health check has failed, and at least one has no result yet: the task has just started, or a new leader has not checked it yet. A client that saw it ready may keep using it.',
  }),
  addresses: z
    .array(z.string().nullable())
    .meta({ description: 'HOST:PORT for each port of the app; null if the task is not reached there' }),
});

const app = z.object({
  id: z.string(),
  /** Grows with each app that is created: the app with the smaller number is the older one. */
  run: z.number(),
  labels,
  ports: z.array(port),
  tasks: z.array(task),
});

const endpoints = z.object({
  frameworkId: z.string().nullable(),
  connected: z.boolean().meta({ description: 'False without a connection to a Mesos master' }),
  unanswered: z
    .number()
    .meta({ description: 'Tasks whose state the master has not confirmed since the last failover' }),
  apps: z.array(app),
});

/** Named as in the API's description. */
export const endpointSchemas = { Endpoints: endpoints };

export type EndpointAppJson = Shown<typeof app>;
export type EndpointTaskJson = Shown<typeof task>;
export type EndpointListJson = Shown<typeof endpoints>;
