/** What an agent has, and what of it is taken. It throws where something is given twice. */

import {
  type Amounts,
  add,
  amountsOf,
  contains,
  NOTHING,
  subtract,
  toResources,
} from '../mesos/resources.ts';
import type { Attribute, Resource, TaskInfo } from '../mesos/types.ts';

const FIRST_PORT = 31_000;
const DISK_MIB = 1000;

export interface AgentSpec {
  readonly id: string;
  readonly host: string;
  readonly cpus: number;
  /** MiB */
  readonly mem: number;
  /** MiB; 1000 where it isn't given. */
  readonly disk?: number;
  /** How many, from 31000. */
  readonly ports: number;
  readonly attributes?: Readonly<Record<string, string>>;
  /** What it has besides, for roles. */
  readonly reserved?: readonly Resource[];
}

/** Amounts by the role they are reserved for, `*` for none. */
export type Pools = Map<string, Amounts>;

export class Agent {
  readonly spec: AgentSpec;
  readonly attributes: Attribute[];
  readonly tasks = new Set<string>();
  /** What each executor takes, and its tasks; an idle one keeps it. */
  readonly executors = new Map<string, { resources: readonly Resource[]; tasks: Set<string> }>();
  /** What no task and no executor has. An offer under way is part of it. */
  #free: Pools;
  offerId: string | undefined;
  /** No offers of it until then. */
  filteredUntil = 0;

  constructor(spec: AgentSpec) {
    this.spec = spec;
    this.attributes = Object.entries(spec.attributes ?? {}).map(([name, value]) => ({
      name,
      type: 'TEXT' as const,
      text: { value },
    }));
    const { cpus, mem, disk = DISK_MIB, ports } = spec;
    const range = [{ begin: FIRST_PORT, end: FIRST_PORT + ports - 1 }];
    this.#free = poolsOf([
      { name: 'cpus', type: 'SCALAR', scalar: { value: cpus } },
      { name: 'mem', type: 'SCALAR', scalar: { value: mem } },
      { name: 'disk', type: 'SCALAR', scalar: { value: disk } },
      { name: 'ports', type: 'RANGES', ranges: { range } },
      ...(spec.reserved ?? []),
    ]);
  }

  get free(): Pools {
    return new Map(this.#free);
  }

  /** As they stand in an offer to a framework of that role. */
  offered(role: string): Resource[] {
    return [...this.#free].flatMap(([reservedFor, amounts]) => {
      const resources = toResources(amounts, role);
      if (reservedFor === '*') return resources;
      const reservations = [{ type: 'STATIC' as const, role: reservedFor }];
      return resources.map((one) => ({ ...one, role: reservedFor, reservations }));
    });
  }

  /** What a task needs here: its executor's share too, unless that runs already. */
  needs({ resources, executor }: TaskInfo): Resource[] {
    const comes = executor && !this.executors.has(executor.executor_id.value);
    return comes ? [...resources, ...(executor.resources ?? [])] : resources;
  }

  add(info: TaskInfo): void {
    const id = info.task_id.value;
    take(this.#free, this.needs(info), `${id} on ${this.spec.host}`);
    this.tasks.add(id);
    const executorId = info.executor?.executor_id.value;
    if (executorId === undefined) return;
    const known = this.executors.get(executorId);
    if (known) known.tasks.add(id);
    else this.executors.set(executorId, { resources: info.executor?.resources ?? [], tasks: new Set([id]) });
  }

  /** @returns the executor that has no task any more */
  remove(info: TaskInfo): string | undefined {
    const id = info.task_id.value;
    this.tasks.delete(id);
    this.#giveBack(info.resources);
    const executorId = info.executor?.executor_id.value;
    const executor = this.executors.get(executorId ?? '');
    executor?.tasks.delete(id);
    if (executorId === id) this.endExecutor(id);
    return executor?.tasks.size === 0 ? executorId : undefined;
  }

  /** An executor without tasks ends. @returns whether there was one */
  endExecutor(executorId: string): boolean {
    const executor = this.executors.get(executorId);
    if (!executor || executor.tasks.size > 0) return false;
    this.executors.delete(executorId);
    this.#giveBack(executor.resources);
    return true;
  }

  #giveBack(resources: readonly Resource[]): void {
    for (const [role, amounts] of poolsOf(resources)) {
      this.#free.set(role, add(this.#free.get(role) ?? NOTHING, amounts));
    }
    // A filter holds only as long as there is no more than what was refused.
    this.filteredUntil = 0;
  }
}

/** Takes resources out of pools. @throws Error where they aren't there */
export function take(pools: Pools, resources: readonly Resource[], who: string): void {
  for (const [role, wanted] of poolsOf(resources)) {
    const there = pools.get(role) ?? NOTHING;
    if (!contains(there, wanted)) {
      const [has, takes] = [there, wanted].map((one) => JSON.stringify(toResources(one, role)));
      throw new Error(`a resource or port was given twice: ${who} takes ${takes}, and left was ${has}`);
    }
    pools.set(role, subtract(there, wanted));
  }
}

function poolsOf(resources: readonly Resource[]): Pools {
  const byRole = Map.groupBy(resources, (one) => one.reservations?.at(-1)?.role ?? one.role ?? '*');
  return new Map([...byRole].map(([role, some]) => [role, amountsOf(some)]));
}
