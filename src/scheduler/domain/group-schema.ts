/** The schema of a group for `/v2/groups`. Its apps are validated separately, once their ids are absolute. */

import * as z from 'zod';
import { isEmpty } from '../../json.ts';
import { filled, list, number } from './app-fields.ts';

export interface GroupUpdate {
  id?: string | undefined;
  dependencies?: string[] | undefined;
  apps?: Record<string, unknown>[] | undefined;
  groups?: GroupUpdate[] | undefined;
}

const MAX_APPS = 100_000;

const app = z.looseObject({ id: filled }, { error: 'must be an object with an id' });

/** A field that may only have a value that means the same as no field. */
function unused(error: string) {
  return z.unknown().refine(isEmpty, error).optional();
}

export const groupSchema: z.ZodType<GroupUpdate> = z
  .object(
    {
      id: filled.optional(),
      dependencies: list(filled, 1000, 'must be an array of strings').optional(),
      // Answers have these.
      enforceRole: unused('is not supported: the scheduler has one role, --mesos_role'),
      pods: unused('are not supported: create an app for each container'),
      version: z.unknown().optional(),
      apps: list(app, MAX_APPS).optional(),
      get groups() {
        return list(groupSchema, MAX_APPS).optional();
      },
    },
    { error: 'must be a JSON object' },
  )
  .catchall(z.never({ error: 'is not a known field' }));

export const groupScaleSchema = z.object({ scaleBy: number(0, 1000) });
