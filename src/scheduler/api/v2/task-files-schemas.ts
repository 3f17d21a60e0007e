/** Schemas of the files of tasks. */

import * as z from 'zod';
import { type Shown, time } from '../openapi/shown.ts';

const files = z.object({
  path: z.string(),
  entries: z.array(
    z.object({
      name: z.string(),
      type: z.enum(['file', 'directory', 'link', 'other']),
      size: z.number(),
      modifiedAt: time,
    }),
  ),
  more: z.literal(true).optional().meta({ description: 'Present if the directory has further entries' }),
});

/** Named as in the API's description. */
export const taskFilesSchemas = { TaskFiles: files };

export type TaskFilesJson = Shown<typeof files>;
