/** Schemas of the answers about agents. */

import * as z from 'zod';
import type { Shown } from '../openapi/shown.ts';

const agentDrain = z.object({
  agentId: z.string(),
  moving: z
    .int()
    .meta({ description: 'Number of tasks that end once other instances of their apps are ready' }),
  staying: z.int().meta({
    description:
      'Number of tasks that nothing replaces before they end: of jobs, and with persistent volumes',
  }),
  ending: z.int().meta({ description: 'How many of both drain or were killed' }),
  waiting: z.array(z.string()).meta({ description: 'Apps of these tasks with instances that find no agent' }),
});

export type AgentDrainJson = Shown<typeof agentDrain>;

export const agentSchemas = { AgentDrain: agentDrain };
