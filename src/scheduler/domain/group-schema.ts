/** The schema of a group for `/v2/groups`. Its apps are validated separately, once their ids are absolute. */

import * as z from 'zod';
import { filled, list, number } from './app-fields.ts';

export interface GroupUpdate {
  id?: string | undefined;
  dependencies?: string[] | undefined;
  apps?: Record<string, unknown>[] | undefined;
  groups?: GroupUpdate[] | undefined;
}

const MAX_APPS = 100_000;

const app = z.looseObject({ id: filled }, { error: 'must be an object with an id' });

export const groupSchema: z.ZodType<GroupUpdate> = z.object(
  {
    id: filled.optional(),
    dependencies: list(filled, 1000, 'must be an array of strings').optional(),
    apps: list(app, MAX_APPS).optional(),
    get groups() {
      return list(groupSchema, MAX_APPS).optional();
    },
  },
  { error: 'must be a JSON object' },
);

export const groupScaleSchema = z.object({ scaleBy: number(0, 1000) });
