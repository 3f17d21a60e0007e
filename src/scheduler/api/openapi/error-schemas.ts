/** Schemas of error bodies. */

import * as z from 'zod';
import { time } from './shown.ts';

const message = z.object({ message: z.string() });

const invalid = message.extend({
  details: z
    .array(
      z.object({
        path: z.string().meta({ description: 'Path of the field, such as /healthChecks(0)/path' }),
        errors: z.array(z.string()),
      }),
    )
    .optional(),
});

const locked = message.extend({ deployments: z.array(z.object({ id: z.string() })).optional() });

const outdated = message.extend({
  version: z.string().meta({ description: 'The version that the app has now' }),
  changedAt: time,
  changedBy: z.string().optional().meta({ description: 'Absent if this scheduler does not know who it was' }),
});

const v1Invalid = z.object({
  errors: z.array(z.object({ attribute: z.string(), error: z.string() })),
});

/** Named as in the API's description. */
export const errorSchemas = {
  Message: message,
  Invalid: invalid,
  Locked: locked,
  Outdated: outdated,
  V1Invalid: v1Invalid,
};
