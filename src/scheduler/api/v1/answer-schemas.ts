/** Schemas of apps, tasks and endpoints in v1. */

import * as z from 'zod';
import { constraintSchema } from '../../domain/constraint.ts';
import type { Shown } from '../openapi/shown.ts';

const task = z.object({ id: z.string(), host: z.string(), ports: z.array(z.number()) });

const app = z.object({
  id: z.string(),
  cmd: z.string(),
  env: z.record(z.string(), z.string()),
  instances: z.number(),
  cpus: z.number(),
  mem: z.number(),
  disk: z.number(),
  executor: z.string(),
  constraints: z.array(constraintSchema),
  uris: z.array(z.string()),
  ports: z.array(z.number()),
  taskRateLimit: z.number().optional(),
  container: z.object({ image: z.string(), options: z.array(z.string()) }).optional(),
});

const endpoints = z.object({ id: z.string(), ports: z.array(z.number()), instances: z.array(task) });

/** Named as in the API's description. */
export const v1AnswerSchemas = { V1AppStatus: app, V1Task: task, V1Endpoints: endpoints };

export type V1AppJson = Shown<typeof app>;
export type V1TaskJson = Shown<typeof task>;
export type EndpointsJson = Shown<typeof endpoints>;
