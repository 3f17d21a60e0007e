/**
 * Reads the agents from the master's answer to `GET /slaves`, and joins them with what is known from before: the master
 * forgets agents that it can't reach. Pure. Source of the fields: Mesos' http.cpp (`Slave` as JSON).
 */

import { isJson, type Json } from '../../json.ts';

/** Scalar resources; mem and disk in MiB. */
export interface Amounts {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
  readonly gpus: number;
}

/** What the master says of an agent. */
export interface KnownAgent {
  readonly id: string;
  readonly host: string;
  /** `draining` and `drained`: for maintenance; `inactive`: disconnected or deactivated, so that it gets no tasks. */
  readonly state: 'active' | 'inactive' | 'draining' | 'drained';
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly total: Amounts;
  /** By tasks and executors of all frameworks. */
  readonly used: Amounts;
  /** To frameworks, at this moment. */
  readonly offered: Amounts;
  /** By role. */
  readonly reserved: Readonly<Record<string, Amounts>>;
  /** Ranges of ports, such as `[31000-32000]`. */
  readonly ports: string;
  readonly version?: string;
}

/** An agent of which only the past is known: its resources now are unknown, not 0. */
export interface UnknownAgent {
  readonly id: string;
  readonly host: string;
  readonly state: 'unknown';
  /** When the master last knew it, in milliseconds since the epoch; absent: not since the scheduler started. */
  readonly seenAt?: number;
  readonly attributes?: KnownAgent['attributes'];
}

export type ListedAgent = KnownAgent | UnknownAgent;

/** The master's last answer about each agent, by id. */
export type Seen = ReadonlyMap<string, { readonly agent: KnownAgent; readonly at: number }>;

/** An agent that does not return for so long is no longer listed, unless it has tasks. */
const LISTED_MS = 3_600_000;
const MAX_ATTRIBUTES = 100;

/** @returns undefined if it is not an answer of a master */
export function agentsIn(answer: unknown): KnownAgent[] | undefined {
  if (!isJson(answer) || !Array.isArray(answer.slaves)) return undefined;
  return answer.slaves.filter(isJson).map((agent): KnownAgent => {
    const { resources, attributes, version } = agent;
    const reserved = isJson(agent.reserved_resources) ? Object.entries(agent.reserved_resources) : [];
    return {
      id: String(agent.id),
      host: String(agent.hostname),
      state: stateOf(agent),
      attributes: isJson(attributes) ? attributesIn(attributes) : {},
      total: amountsIn(resources),
      used: amountsIn(agent.used_resources),
      offered: amountsIn(agent.offered_resources),
      reserved: Object.fromEntries(reserved.map(([role, amounts]) => [role, amountsIn(amounts)])),
      ports: isJson(resources) ? String(resources.ports ?? '') : '',
      ...(typeof version === 'string' && { version }),
    };
  });
}

function stateOf({ active, deactivated, drain_info: drain }: Json): KnownAgent['state'] {
  if (isJson(drain)) return drain.state === 'DRAINED' ? 'drained' : 'draining';
  return active === false || deactivated === true ? 'inactive' : 'active';
}

function attributesIn(attributes: Json): KnownAgent['attributes'] {
  const entries = Object.entries(attributes).slice(0, MAX_ATTRIBUTES);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'number' ? value : String(value)]),
  );
}

function amountsIn(resources: unknown): Amounts {
  const { cpus, mem, disk, gpus }: Json = isJson(resources) ? resources : {};
  return { cpus: amount(cpus), mem: amount(mem), disk: amount(disk), gpus: amount(gpus) };
}

function amount(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/** Remembers an answer, and forgets agents that are gone for long. */
export function withAnswer(seen: Seen, answer: readonly KnownAgent[], now: number): Seen {
  const recent = [...seen].filter(([, { at }]) => now - at < LISTED_MS);
  return new Map([...recent, ...answer.map((agent) => [agent.id, { agent, at: now }] as const)]);
}

/**
 * @param answered when the master answered last; undefined: it does not answer now, so that no agent is known
 * @param withTasks agents of tasks and reservations: ids with host names
 * @returns the agents by host name
 */
export function listAgents(
  seen: Seen,
  answered: number | undefined,
  withTasks: ReadonlyMap<string, string>,
): ListedAgent[] {
  const listed = [...seen.values()].map(({ agent, at }): ListedAgent => {
    if (at === answered) return agent;
    const { id, host, attributes } = agent;
    return { id, host, state: 'unknown', seenAt: at, attributes };
  });
  const others = [...withTasks]
    .filter(([id]) => !seen.has(id))
    .map(([id, host]): ListedAgent => ({ id, host, state: 'unknown' }));
  return [...listed, ...others].sort((a, b) => compare(a.host, b.host) || compare(a.id, b.id));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
