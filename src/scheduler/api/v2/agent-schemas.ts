/** Schemas of the answers about agents. */

import * as z from 'zod';
import { type Shown, time } from '../openapi/shown.ts';

const number = z.number();
const text = z.string();

const amounts = z
  .object({ cpus: number, mem: number, disk: number, gpus: number })
  .meta({ description: 'Scalar resources; mem and disk in MiB' });

const agent = z.object({
  id: text,
  host: text,
  state: z.enum(['active', 'inactive', 'draining', 'drained', 'unknown']).meta({
    description:
      'inactive: gets no tasks; unknown: the master does not know it now, such as an unreachable agent, so it has no resources here',
  }),
  attributes: z.record(text, z.union([text, number])).optional(),
  total: amounts.optional(),
  used: amounts.optional().meta({ description: 'By tasks and executors of all frameworks' }),
  offered: amounts.optional().meta({ description: 'To frameworks, at this moment' }),
  reserved: z.record(text, amounts).optional().meta({ description: 'By role' }),
  ports: text.optional().meta({ description: 'Ranges, such as [31000-32000]' }),
  version: text.optional().meta({ description: 'Of Mesos' }),
  seenAt: time.optional().meta({ description: 'Of an unknown agent: when the master last knew it' }),
  drains: z
    .boolean()
    .optional()
    .meta({ description: 'True while the scheduler replaces its tasks: POST /v2/agents/{id}/drain' }),
  tasks: number.meta({ description: 'Number of tasks of this scheduler that have not ended' }),
});

const agents = z.object({
  agents: z.array(agent),
  at: time.meta({ description: 'When the master was asked' }),
  problem: text.optional().meta({ description: 'Why the master could not be asked: all agents are unknown' }),
});

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
  starting: z.int().meta({
    description: 'Number of instances of the apps of moving tasks that run elsewhere and are not ready yet',
  }),
  waiting: z.array(z.string()).meta({ description: 'Apps of these tasks with instances that find no agent' }),
});

export type AgentsJson = Shown<typeof agents>;
export type AgentDrainJson = Shown<typeof agentDrain>;

export const agentSchemas = { Agents: agents, AgentDrain: agentDrain };
