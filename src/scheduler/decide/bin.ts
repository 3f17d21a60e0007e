import { amountsOf, fromMilli, subtractRanges, toMilli } from '../../mesos/resources.ts';
import type { Offer, Range, Resource, TaskInfo } from '../../mesos/types.ts';
import type { App } from '../domain/app.ts';
import { portsOf } from '../domain/app.ts';
import { type Settings, TASKS_PER_EXECUTOR } from '../domain/settings.ts';
import type { State } from '../domain/state.ts';
import { constraintReason, fieldsOf, type Spread } from './constraints.ts';
import type { Form } from './form.ts';

const SCALARS = ['cpus', 'mem', 'disk', 'gpus'] as const;
type Scalars = Record<(typeof SCALARS)[number], number>;

/** An offer while it is being filled. Scalars in thousandths. */
export interface Bin {
  readonly offer: Offer;
  readonly left: Scalars;
  ports: readonly Range[];
  /** Our executors that need nothing more here: they run on the agent, or a task above brings them. */
  readonly present: Set<string>;
  /** Tasks by executor. */
  readonly load: Map<string, number>;
  readonly tasks: TaskInfo[];
}

/** What a task gets of a bin. */
export interface Fit {
  readonly ports: readonly number[];
  readonly executorId?: string;
  readonly fields?: Record<string, string>;
}

/** Resources reserved for a role are passed over: they would have to be named in the task as reserved. */
export function openBin(offer: Offer, state: State): Bin {
  const free = offer.resources.filter((r) => (r.role ?? '*') === '*' && !r.reservations?.length);
  return {
    offer,
    left: scalarsOf(free),
    ports: amountsOf(free).ranges.get('ports') ?? [],
    present: new Set(offer.executor_ids?.map(({ value }) => value)),
    load: new Map(state.executors.get(offer.agent_id.value)),
    tasks: [],
  };
}

/**
 * Whether one more task fits: first the resources, then ports, then constraints.
 * @returns the fit, or in words what is missing
 */
export function tryFit(bin: Bin, app: App, form: Form, spread: Spread, settings: Settings): Fit | string {
  const executorId = form.type === 'shared' ? slotOf(bin, settings) : undefined;
  const executor = executorCost(bin, executorId, settings);
  for (const name of SCALARS) {
    const wanted = toMilli(app[name]) + executor[name];
    if (wanted <= bin.left[name]) continue;
    const forExecutor = executor[name] > 0 ? `, ${fromMilli(executor[name])} of that for its executor` : '';
    return `${name}: ${fromMilli(wanted)} wanted${forExecutor}, ${fromMilli(bin.left[name])} offered`;
  }
  const ports = allocate(
    bin.ports,
    portsOf(app).map(({ hostPort }) => hostPort),
  );
  if (typeof ports === 'string') return ports;
  const fields = app.constraints.length > 0 ? fieldsOf(app, bin.offer) : undefined;
  const reason = fields && constraintReason(app, spread, fields);
  if (reason !== undefined) return reason;
  return { ports, ...(executorId !== undefined && { executorId }), ...(fields && { fields }) };
}

/** Takes what `tryFit` gave out of the bin. */
export function fill(bin: Bin, app: App, { ports, executorId }: Fit, settings: Settings): void {
  const executor = executorCost(bin, executorId, settings);
  for (const name of SCALARS) bin.left[name] -= toMilli(app[name]) + executor[name];
  const used = [...ports].sort((a, b) => a - b).map((port) => ({ begin: port, end: port }));
  bin.ports = subtractRanges(bin.ports, used);
  if (executorId === undefined) return;
  bin.present.add(executorId);
  bin.load.set(executorId, (bin.load.get(executorId) ?? 0) + 1);
}

/** The first executor on the agent that has room for another task. */
function slotOf(bin: Bin, { dockerExecutor }: Settings): string {
  for (let slot = 0; ; slot += 1) {
    const id = `${dockerExecutor.idPrefix}.${slot}`;
    if ((bin.load.get(id) ?? 0) < TASKS_PER_EXECUTOR) return id;
  }
}

/** A shared executor takes resources of its own once on each agent. */
function executorCost(bin: Bin, executorId: string | undefined, { dockerExecutor }: Settings): Scalars {
  const comes = executorId !== undefined && !bin.present.has(executorId);
  return scalarsOf(comes ? (dockerExecutor.info.resources ?? []) : []);
}

function scalarsOf(resources: readonly Resource[]): Scalars {
  const { scalars } = amountsOf(resources);
  return {
    cpus: scalars.get('cpus') ?? 0,
    mem: scalars.get('mem') ?? 0,
    disk: scalars.get('disk') ?? 0,
    gpus: scalars.get('gpus') ?? 0,
  };
}

/** @param wanted 0 for any; @returns a host port for each, or in words what is missing */
function allocate(ranges: readonly Range[], wanted: readonly number[]): number[] | string {
  const fixed = wanted.filter((port) => port !== 0);
  const missing = fixed.filter((port) => !ranges.some(({ begin, end }) => begin <= port && port <= end));
  if (missing.length > 0) return `ports: ${missing.join(', ')} wanted, not offered`;
  const rest = subtractRanges(
    ranges,
    fixed.toSorted((a, b) => a - b).map((port) => ({ begin: port, end: port })),
  );
  const any = lowest(rest, wanted.length - fixed.length);
  const found = fixed.length + any.length;
  if (found < wanted.length) return `ports: ${wanted.length} wanted, ${found} offered`;
  return wanted.map((port) => (port !== 0 ? port : (any.shift() ?? 0)));
}

function lowest(ranges: readonly Range[], howMany: number): number[] {
  const ports: number[] = [];
  for (const { begin, end } of ranges) {
    for (let port = begin; port <= end && ports.length < howMany; port += 1) ports.push(port);
  }
  return ports;
}
