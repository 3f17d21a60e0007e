/** Reads a framework from the answer of a Mesos master to `GET /state`. */

import * as z from 'zod';
import { type Attribute, isTerminal, TASK_STATES, type TaskState } from '../../mesos/types.ts';
import type { AgentFacts } from '../decide/placement/fields.ts';

/** A task of the framework that has not ended. */
export interface MasterTask {
  readonly id: string;
  readonly agentId: string;
  readonly state: TaskState;
  /** Host ports in the order of the app's ports; undefined if the order is unknown. */
  readonly ports?: readonly number[];
  /** Time of the first status, in milliseconds since the epoch. */
  readonly since?: number;
}

export interface FrameworkFacts {
  readonly id: string;
  readonly name: string;
  /** True if a scheduler is subscribed with the framework's id. */
  readonly connected: boolean;
  readonly user: string;
  readonly principal?: string;
  readonly checkpoint: boolean;
  readonly roles: readonly string[];
  readonly failoverTimeoutSeconds: number;
  readonly tasks: readonly MasterTask[];
  /** Agents by id. */
  readonly agents: ReadonlyMap<string, AgentFacts>;
  /** Hosts of agents that have not registered again since the master failed over: it does not know their tasks. */
  readonly recovering: readonly string[];
}

const text = z.string();

const portJson = z.object({
  number: z.number(),
  labels: z
    .object({ labels: z.array(z.object({ key: text, value: text.optional() })).default([]) })
    .optional(),
});

const taskJson = z.object({
  id: text,
  slave_id: text,
  state: z.enum(TASK_STATES),
  resources: z.object({ ports: text.optional() }).default({}),
  // Mesos omits empty lists.
  discovery: z
    .object({ ports: z.object({ ports: z.array(portJson).default([]) }).default({ ports: [] }) })
    .optional(),
  statuses: z.array(z.object({ timestamp: z.number().optional() })).default([]),
});

const frameworkJson = z.object({
  id: text,
  name: text.default(''),
  connected: z.boolean(),
  user: text,
  principal: text.optional(),
  checkpoint: z.boolean().default(false),
  role: text.optional(),
  roles: z.array(text).optional(),
  failover_timeout: z.number().default(0),
  tasks: z.array(taskJson).default([]),
  unreachable_tasks: z.array(taskJson).default([]),
});

const agentJson = z.object({
  id: text,
  hostname: text,
  attributes: z.record(text, z.union([text, z.number()])).default({}),
  domain: z
    .object({ fault_domain: z.object({ region: z.object({ name: text }), zone: z.object({ name: text }) }) })
    .optional(),
});

const stateJson = z.object({
  frameworks: z.array(z.unknown()),
  slaves: z.array(agentJson).default([]),
  recovered_slaves: z.array(z.object({ hostname: text })).default([]),
});

/**
 * @returns undefined if the master does not know the framework, the hosts of agents on which it may run if those have not
 * registered again since the master failed over; the reason if the answer is not a master's
 */
export function readFramework(
  answer: unknown,
  id: string,
): FrameworkFacts | undefined | Pick<FrameworkFacts, 'recovering'> | { why: string } {
  const state = stateJson.safeParse(answer);
  if (!state.success) return { why: whyOf(state.error) };
  const recovering = state.data.recovered_slaves.map(({ hostname }) => hostname).sort();
  const found = state.data.frameworks.find((one) => (one as { id?: unknown } | null)?.id === id);
  if (found === undefined) return recovering.length > 0 ? { recovering } : undefined;
  const framework = frameworkJson.safeParse(found);
  if (!framework.success) return { why: whyOf(framework.error) };
  const { name, connected, user, principal, checkpoint, roles, role, failover_timeout } = framework.data;
  const { tasks, unreachable_tasks } = framework.data;
  return {
    id,
    name,
    connected,
    user,
    // Mesos shows an absent principal as empty.
    ...(principal && { principal }),
    checkpoint,
    roles: roles ?? [role ?? '*'],
    failoverTimeoutSeconds: failover_timeout,
    tasks: [...tasks, ...unreachable_tasks].filter((task) => !isTerminal(task.state)).map(taskOf),
    agents: new Map(state.data.slaves.map((agent) => [agent.id, agentOf(agent)])),
    recovering,
  };
}

/** Names the agents whose tasks the master does not know yet, and what to do. */
export function whileRecovering(hosts: readonly string[]): string {
  return `${hosts.join(', ')} ${hosts.length === 1 ? 'has' : 'have'} not registered with the master since it failed over, so it does not know the tasks there. Start the agents, or wait for the master's --agent_reregister_timeout (10 min by default)`;
}

function whyOf({ issues: [issue] }: z.ZodError): string {
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`;
}

function taskOf({
  id,
  slave_id,
  state,
  resources,
  discovery,
  statuses,
}: z.output<typeof taskJson>): MasterTask {
  const held = portsIn(resources.ports ?? '');
  // Ranges are sorted, so their order says nothing about several ports.
  const ports = discovery ? hostPortsIn(discovery.ports.ports) : held.length > 1 ? undefined : held;
  const seconds = statuses[0]?.timestamp;
  return {
    id,
    agentId: slave_id,
    state,
    ...(ports && { ports }),
    ...(seconds !== undefined && { since: Math.round(seconds * 1000) }),
  };
}

/** A port without a host port has the scope of its container; one for two protocols is listed for each. */
function hostPortsIn(ports: readonly z.output<typeof portJson>[]): number[] {
  const onHost = ports.filter(
    ({ labels }) =>
      !labels?.labels.some(({ key, value }) => key === 'network-scope' && value === 'container'),
  );
  return [...new Set(onHost.map(({ number }) => number))];
}

/** Reads `[31000-31001, 31005-31005]`. */
function portsIn(ranges: string): number[] {
  return [...ranges.matchAll(/(\d+)-(\d+)/g)].flatMap(([, begin, end]) =>
    Array.from({ length: Number(end) - Number(begin) + 1 }, (_, i) => Number(begin) + i),
  );
}

function agentOf({ hostname, attributes, domain }: z.output<typeof agentJson>): AgentFacts {
  return { hostname, ...(domain && { domain }), attributes: Object.entries(attributes).map(attributeOf) };
}

/** Attributes of the types RANGES and SET are shown as text. */
function attributeOf([name, value]: [string, string | number]): Attribute {
  if (typeof value === 'number') return { name, type: 'SCALAR', scalar: { value } };
  return { name, type: 'TEXT', text: { value: value.replaceAll(', ', ',') } };
}
