/** Tracks the resources of an agent. Throws if a resource is allocated twice. */

import {
  containsHeld,
  filterHeld,
  fromHeld,
  heldAmounts,
  isOfferable,
  reservationsOf,
  toEndpointForm,
  withoutReservation,
  withoutVolume,
} from '../mesos/held.ts';
import { type Amounts, add, subtract } from '../mesos/resources.ts';
import type { Attribute, OfferOperation, Resource, TaskInfo } from '../mesos/types.ts';

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

export type ResourceOperation = Exclude<OfferOperation, { type: 'LAUNCH' }>;

export class Agent {
  readonly spec: AgentSpec;
  readonly attributes: Attribute[];
  readonly tasks = new Set<string>();
  /** Resources and tasks of each executor; an idle executor keeps its resources. */
  readonly executors = new Map<string, { resources: readonly Resource[]; tasks: Set<string> }>();
  /** Resources without task or executor, including those in a pending offer. */
  #free: Amounts;
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
    this.#free = heldAmounts([
      { name: 'cpus', type: 'SCALAR', scalar: { value: cpus } },
      { name: 'mem', type: 'SCALAR', scalar: { value: mem } },
      { name: 'disk', type: 'SCALAR', scalar: { value: disk } },
      { name: 'ports', type: 'RANGES', ranges: { range } },
      ...(spec.reserved ?? []),
    ]);
  }

  get free(): Amounts {
    return this.#free;
  }

  /** @returns the free resources as in an offer to a framework of that role */
  offered(role: string): Resource[] {
    const offerable = filterHeld(this.#free, (kind) => isOfferable(kind, role, false));
    const scalarsFirst = fromHeld(offerable).sort(
      (a, b) => Number(a.type === 'RANGES') - Number(b.type === 'RANGES'),
    );
    return scalarsFirst.map((one) => ({ ...toEndpointForm(one), allocation_info: { role } }));
  }

  /** The reserved resources and volumes without a task. */
  get reserved(): Resource[] {
    return fromHeld(this.#free).filter((one) => reservationsOf(one).length > 0);
  }

  /** Applies an operation to the free resources. */
  apply(operation: ResourceOperation): void {
    this.#free = converted(this.#free, operation) ?? this.#free;
    this.filteredUntil = 0;
  }

  /** @returns the resources a task needs here, including its executor's unless that runs already */
  needs({ resources, executor }: TaskInfo): Resource[] {
    const comes = executor && !this.executors.has(executor.executor_id.value);
    return comes ? [...resources, ...(executor.resources ?? [])] : resources;
  }

  add(info: TaskInfo): void {
    const id = info.task_id.value;
    this.#free = take(this.#free, this.needs(info), `${id} on ${this.spec.host}`);
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
    this.#free = add(this.#free, heldAmounts(resources));
    // A filter ends when more resources become available than were declined.
    this.filteredUntil = 0;
  }
}

/** @returns what is left. @throws Error if the resources are not available */
export function take(there: Amounts, resources: readonly Resource[], who: string): Amounts {
  const wanted = heldAmounts(resources);
  if (!containsHeld(there, wanted)) {
    const [has, takes] = [there, wanted].map((one) => JSON.stringify(fromHeld(one)));
    throw new Error(
      `a resource or port was allocated twice: ${who} takes ${takes}, but only ${has} was left`,
    );
  }
  return subtract(there, wanted);
}

/** @returns the resources after an operation; undefined if it is refused */
export function converted(there: Amounts, operation: ResourceOperation): Amounts | undefined {
  const [before, after] = conversionOf(operation);
  const consumed = heldAmounts(before);
  return containsHeld(there, consumed) ? add(subtract(there, consumed), heldAmounts(after)) : undefined;
}

function conversionOf(operation: ResourceOperation): [before: Resource[], after: Resource[]] {
  switch (operation.type) {
    case 'RESERVE': {
      const { resources } = operation.reserve;
      return [resources.map(withoutReservation), resources];
    }
    case 'UNRESERVE': {
      const { resources } = operation.unreserve;
      return [resources, resources.map(withoutReservation)];
    }
    case 'CREATE': {
      const { volumes } = operation.create;
      return [volumes.map(withoutVolume), volumes];
    }
    case 'DESTROY': {
      const { volumes } = operation.destroy;
      return [volumes, volumes.map(withoutVolume)];
    }
  }
}
