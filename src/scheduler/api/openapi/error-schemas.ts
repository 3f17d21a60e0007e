/** Schemas of error bodies. */

import * as z from 'zod';

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

const v1Invalid = z.object({
  errors: z.array(z.object({ attribute: z.string(), error: z.string() })),
});

/** Named as in the API's description. */
export const errorSchemas = { Message: message, Invalid: invalid, Locked: locked, V1Invalid: v1Invalid };
