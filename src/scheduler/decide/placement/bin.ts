import { countRanges, fromMilli, subtractRanges } from '../../../mesos/resources.ts';
import type { Offer, OfferOperation, Range, Resource, TaskInfo } from '../../../mesos/types.ts';
import { findLacks, type KnownAgent } from '../../domain/agents.ts';
import { type Check, SCALARS, type Scalars, type Stage } from '../../domain/placement.ts';
import { TASKS_PER_EXECUTOR } from '../../domain/settings.ts';
import type { State } from '../../domain/state.ts';
import { ownContainerizer } from '../tasks/form.ts';
import { chooseDisks, type DiskChoice, freeDisks } from './disks.ts';
import { type ExecutorKind, executorKinds } from './executor-kinds.ts';
import { noScalars, type Pool, poolsOf, sum, takeResources, UNRESERVED } from './pools.ts';
import { accepts, type Want } from './want.ts';

/** An offer while it is being filled with tasks. */
export interface Bin {
  readonly offer: Offer;
  /** Position among the offers of the same event. */
  readonly index: number;
  readonly pools: readonly Pool[];
  readonly kinds: readonly ExecutorKind[];
  /** Ids of shared executors that need no more resources: they run on the agent, or come with an earlier task. */
  readonly present: Set<string>;
  /** Number of tasks by executor id. */
  readonly load: Map<string, number>;
  readonly tasks: TaskInfo[];
  /** Operations on reservations, before the launches. */
  readonly operations: OfferOperation[];
  /** Unreserved disks other than that of the work directory, which are not taken yet. */
  disks: readonly Resource[];
  /** The agent, if its flags were asked for. */
  agent: KnownAgent | undefined;
}

/** The shared executor that runs a task. */
interface PlacedExecutor {
  readonly id: string;
  readonly kind: ExecutorKind;
  /** True if the executor starts with this task and takes resources of its own. */
  readonly isNew: boolean;
}

/** Ports and executor that a bin offers to a task. */
export interface Fit {
  readonly ports: readonly number[];
  /** For the volumes of `want.disks`. */
  readonly disks: DiskChoice;
  readonly executor?: PlacedExecutor;
}

/** Resources taken from a bin for a task. */
export interface Allotment {
  readonly resources: readonly Resource[];
  /** Resources of its shared executor. */
  readonly executorResources?: readonly Resource[];
}

export function openBin(offer: Offer, index: number, state: State): Bin {
  const pools = poolsOf(offer, state.settings.role);
  return {
    offer,
    index,
    pools,
    kinds: executorKinds(pools, state.settings),
    present: new Set(offer.executor_ids?.map(({ value }) => value)),
    load: new Map(state.executors.get(offer.agent_id.value)),
    tasks: [],
    operations: [],
    disks: freeDisks(offer),
    agent: state.agents.get(offer.agent_id.value),
  };
}

/**
 * Checks whether one more task fits into the bin.
 * @param turn varies the choice among free ports
 * @returns ports and executor for the task, or the first stage that failed
 */
export function tryFit(bin: Bin, want: Want, turn = 0): Fit | Stage {
  if (want.forbidden !== undefined) return 'policy';
  if (lacksOf(bin, want).length > 0) return 'containerizer';
  const pools = acceptedPools(bin, want);
  if (pools.length === 0 && bin.pools.length > 0) return 'roles';
  const executor = want.form.type === 'shared' ? chooseExecutor(bin, want) : undefined;
  for (const name of SCALARS) if (!hasScalar(pools, want, executor, name).ok) return name;
  const ports = allocate(pools, want.hostPorts, turn);
  if ('missing' in ports) return 'ports';
  const disks = chooseDisks(bin.disks, want.disks);
  if (!disks) return 'disk';
  return { ports, disks, ...(executor && { executor }) };
}

/**
 * Checks every stage except the constraints independently, to find out whether a single stage is the obstacle. If no
 * role is accepted, the other stages are checked as if all roles were.
 */
export function checkStages(bin: Bin, want: Want): Check[] {
  const accepted = acceptedPools(bin, want);
  const ok = accepted.length > 0 || bin.pools.length === 0;
  const pools = ok ? accepted : bin.pools;
  const wide: Want = ok ? want : { ...want, reserved: true, unreserved: true };
  const executor = want.form.type === 'shared' ? chooseExecutor(bin, wide) : undefined;
  // Named as in the app: resources reserved for a parent of the scheduler's role count as the role itself.
  const offered = [...new Set(bin.pools.map(({ role }) => (role === UNRESERVED ? role : want.role)))];
  const checks: Check[] = [];
  const { forbidden } = want;
  if (forbidden !== undefined) checks.push({ stage: 'policy', ok: false, forbidden });
  if (ownContainerizer(want.form) !== undefined) {
    const lacks = lacksOf(bin, want);
    checks.push({ stage: 'containerizer', ok: lacks.length === 0, lacks });
  }
  checks.push({ stage: 'roles', ok, accepted: want.roles, offered });
  for (const name of SCALARS) {
    const found = hasScalar(pools, want, executor, name);
    checks.push({
      stage: name,
      ok: found.ok && !(name === 'disk' && chooseDisks(bin.disks, want.disks) === undefined),
      wanted: fromMilli(found.wanted),
      executor: fromMilli(found.wanted - want.scalars[name]),
      offered: fromMilli(found.offered),
      ...(found.divided && { divided: true }),
    });
  }
  const ports = allocate(pools, want.hostPorts, 0);
  const isMissing = 'missing' in ports;
  checks.push({
    stage: 'ports',
    ok: !isMissing,
    wanted: want.hostPorts.length,
    offered: pools.reduce((total, pool) => total + countRanges(pool.ports), 0),
    missing: isMissing ? ports.missing : [],
  });
  return checks;
}

function lacksOf({ agent }: Bin, { form }: Want): string[] {
  const containerizer = ownContainerizer(form);
  const { withoutImage = false } = 'withoutImage' in form ? form : {};
  return containerizer === undefined ? [] : findLacks(agent, containerizer, withoutImage);
}

/** Takes the result of `tryFit` out of the bin. */
export function fill(bin: Bin, want: Want, { ports, disks, executor }: Fit): Allotment {
  bin.disks = disks.left;
  if (executor?.isNew) {
    takeResources(executor.kind.pool ? [executor.kind.pool] : [], executor.kind.cost, []);
    bin.present.add(executor.id);
  }
  if (executor) bin.load.set(executor.id, (bin.load.get(executor.id) ?? 0) + 1);
  const resources = takeResources(acceptedPools(bin, want), want.scalars, ports);
  return { resources, ...(executor && { executorResources: executor.kind.resources }) };
}

function acceptedPools({ pools }: Bin, want: Want): readonly Pool[] {
  return want.reserved && want.unreserved ? pools : pools.filter((pool) => accepts(want, pool));
}

const NOTHING = noScalars();

function hasScalar(
  pools: readonly Pool[],
  want: Want,
  executor: PlacedExecutor | undefined,
  name: keyof Scalars,
): { ok: boolean; wanted: number; offered: number; divided: boolean } {
  const cost = executor?.isNew ? executor.kind.cost : NOTHING;
  const wanted = want.scalars[name] + cost[name];
  const offered = sum(pools, name);
  // The resources of an executor must come from a single pool.
  const forExecutor = cost[name] === 0 || (executor?.kind.pool?.scalars[name] ?? 0) >= cost[name];
  const divided = !forExecutor && offered >= cost[name];
  return { ok: wanted <= offered && forExecutor, wanted, offered, divided };
}

/** Chooses an executor. Only for a new executor must the app accept the role of its resources. */
function chooseExecutor(bin: Bin, want: Want): PlacedExecutor | undefined {
  const slots = bin.kinds.map((kind) => ({ kind, id: findSlot(bin, kind) }));
  const present = slots.find(({ id }) => bin.present.has(id));
  if (present) return { ...present, isNew: false };
  const open = slots.filter(({ kind }) => !kind.pool || accepts(want, kind.pool));
  const roomy = open.find(({ kind: { pool, cost } }) =>
    SCALARS.every((name) => cost[name] <= (pool?.scalars[name] ?? 0)),
  );
  const [first] = slots;
  const placed = roomy ?? open.find(({ kind }) => kind.pool) ?? first;
  return placed && { ...placed, isNew: true };
}

/** @returns the id of the first executor of its kind that has room for another task */
function findSlot({ load }: Bin, { prefix }: ExecutorKind): string {
  for (let slot = 0; ; slot += 1) {
    const id = `${prefix}.${slot}`;
    if ((load.get(id) ?? 0) < TASKS_PER_EXECUTOR) return id;
  }
}

/** @param wanted 0 for any port; @returns a host port for each, or the fixed ports that are not offered */
function allocate(
  pools: readonly Pool[],
  wanted: readonly number[],
  turn: number,
): number[] | { missing: number[] } {
  if (wanted.length === 0) return [];
  // The same port may be requested twice, for two protocols.
  const fixed = [...new Set(wanted.filter((port) => port !== 0))].sort((a, b) => a - b);
  const missing = fixed.filter((port) => !pools.some(({ ports }) => isIn(ports, port)));
  if (missing.length > 0) return { missing };
  const holes = fixed.map((port) => ({ begin: port, end: port }));
  const free = pools.flatMap(({ ports }) => subtractRanges(ports, holes));
  const count = countRanges(free);
  if (count < wanted.filter((port) => port === 0).length) return { missing: [] };
  let next = turn;
  return wanted.map((port) => {
    if (port !== 0) return port;
    next += 1;
    return portAt(free, (next - 1) % count);
  });
}

function isIn(ranges: readonly Range[], port: number): boolean {
  return ranges.some(({ begin, end }) => begin <= port && port <= end);
}

/** @param place less than the total number of ports */
function portAt(ranges: readonly Range[], place: number): number {
  let left = place;
  for (const { begin, end } of ranges) {
    if (left <= end - begin) return begin + left;
    left -= end - begin + 1;
  }
  throw new RangeError(`there is no port at place ${place}`);
}
