/** Tracks the resources of an agent. Throws if a resource is allocated twice. */

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
  /** MiB; default: 1000. */
  readonly disk?: number;
  /** Number of ports, from 31000. */
  readonly ports: number;
  readonly attributes?: Readonly<Record<string, string>>;
  /** Additional resources, reserved for roles. */
  readonly reserved?: readonly Resource[];
}

/** Amounts by the role they are reserved for, `*` if unreserved. */
export type Pools = Map<string, Amounts>;

export class Agent {
  readonly spec: AgentSpec;
  readonly attributes: Attribute[];
  readonly tasks = new Set<string>();
  /** Resources and tasks of each executor; an idle executor keeps its resources. */
  readonly executors = new Map<string, { resources: readonly Resource[]; tasks: Set<string> }>();
  /** Resources without task or executor, including those in a pending offer. */
  #free: Pools;
  offerId: string | undefined;
  /** Time until which no offers are made. */
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

  /** @returns the free resources as in an offer to a framework of that role */
  offered(role: string): Resource[] {
    return [...this.#free].flatMap(([reservedFor, amounts]) => {
      const resources = toResources(amounts, role);
      if (reservedFor === '*') return resources;
      const reservations = [{ type: 'STATIC' as const, role: reservedFor }];
      return resources.map((one) => ({ ...one, role: reservedFor, reservations }));
    });
  }

  /** @returns the resources a task needs here, including its executor's unless that runs already */
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

  /** @returns the executor that has become idle, if any */
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

  /** Ends an idle executor. @returns false if there is none */
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
    // A filter ends when more resources become available than were declined.
    this.filteredUntil = 0;
  }
}

/** Takes resources out of pools. @throws Error if they are not available */
export function take(pools: Pools, resources: readonly Resource[], who: string): void {
  for (const [role, wanted] of poolsOf(resources)) {
    const there = pools.get(role) ?? NOTHING;
    if (!contains(there, wanted)) {
      const [has, takes] = [there, wanted].map((one) => JSON.stringify(toResources(one, role)));
      throw new Error(
        `a resource or port was allocated twice: ${who} takes ${takes}, but only ${has} was left`,
      );
    }
    pools.set(role, subtract(there, wanted));
  }
}

function poolsOf(resources: readonly Resource[]): Pools {
  const byRole = Map.groupBy(resources, (one) => one.reservations?.at(-1)?.role ?? one.role ?? '*');
  return new Map([...byRole].map(([role, some]) => [role, amountsOf(some)]));
}
