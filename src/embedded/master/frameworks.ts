/** Subscription, failover, update and removal of frameworks. */

import { isDeepStrictEqual } from 'node:util';
import type { FrameworkInfo, OfferConstraints } from '../../mesos/types.ts';
import { constraintsProblem } from './check-offer-constraints.ts';
import {
  type Framework,
  hasCapability,
  MAX_COMPLETED_FRAMEWORKS,
  type Master,
  rolesOf,
  type SchedulerStream,
  seconds,
} from './model.ts';
import { dropOffersOf, requestAllocation, rescindOffers } from './offers.ts';
import { endTask, removeExecutor } from './tasks.ts';

/** A framework's description and the offers that it wants. */
export interface FrameworkRequest {
  framework_info: FrameworkInfo;
  suppressed_roles?: string[];
  offer_constraints?: OfferConstraints;
}

/** Interval of heartbeats on a scheduler's stream, in seconds. */
export const HEARTBEAT_SECONDS = 15;

/** Maximum failover timeout: 2^63 nanoseconds. */
const MAX_FAILOVER_SECONDS = 9_223_372_036;

/** Returns the problem of a FrameworkInfo, in Mesos' words. */
function validateFramework(info: FrameworkInfo & { role?: string }): string | undefined {
  if (hasCapability(info, 'MULTI_ROLE')) {
    if (info.role !== undefined) {
      return "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable";
    }
    const roles = info.roles ?? [];
    const twice = roles.filter((role, i) => roles.indexOf(role) !== i);
    if (twice.length > 0) {
      return `'FrameworkInfo.roles' contains duplicate items: { ${[...new Set(twice)].join(', ')} }`;
    }
  } else if ((info.roles ?? []).length > 0) {
    return "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable";
  }
  for (const role of rolesOf(info)) {
    if (!/^[^-\s/.][^\s/]*(\/[^-\s/.][^\s/]*)*$/.test(role)) {
      return `'FrameworkInfo.roles' contains invalid role: Role '${role}' is not a valid role name`;
    }
  }
  const timeout = info.failover_timeout ?? 0;
  if (!(timeout >= 0 && timeout <= MAX_FAILOVER_SECONDS)) {
    return `The framework failover_timeout (${timeout}) is invalid`;
  }
  return undefined;
}

/** Returns the forbidden change between two FrameworkInfos of one framework. */
function validateUpdate(before: FrameworkInfo, after: FrameworkInfo): string | undefined {
  if (before.principal !== after.principal) return "Changing framework's principal is not allowed.";
  if (before.user !== after.user) {
    return (
      `Updating 'FrameworkInfo.user' is unsupported; attempted to update from '${before.user}'` +
      ` to '${after.user}'`
    );
  }
  if ((before.checkpoint ?? false) !== (after.checkpoint ?? false)) {
    return (
      "Updating 'FrameworkInfo.checkpoint' is unsupported; attempted to update from" +
      ` '${before.checkpoint ?? false}' to '${after.checkpoint ?? false}'`
    );
  }
  return undefined;
}

/** Subscribes a framework on a new stream: a new framework, one after a failover, or one of an earlier master. */
export function subscribe(
  master: Master,
  { framework_info: requested, suppressed_roles = [], offer_constraints = {} }: FrameworkRequest,
  stream: SchedulerStream,
): void {
  const id = requested.id?.value ?? '';
  const known = master.frameworks.get(id);
  const error =
    (master.completedFrameworks.has(id) ? 'Framework has been removed' : undefined) ??
    validateFramework(requested) ??
    validateSuppressed(requested, suppressed_roles) ??
    constraintsProblem(rolesOf(requested), offer_constraints) ??
    (known && validateUpdate(known.info, requested));
  if (error !== undefined) {
    master.ports.log(`Refusing subscription of framework '${requested.name}': ${error}`);
    stream.send({ type: 'ERROR', error: { message: error } });
    stream.close();
    return;
  }

  const framework = known ?? addFramework(master, id === '' ? newFrameworkId(master) : id, requested);
  framework.info = { ...requested, id: { value: framework.id } };
  framework.roles = rolesOf(requested);
  framework.suppressed = new Set(suppressed_roles);
  framework.offerConstraints = offer_constraints;
  framework.recovered = false;
  framework.cancelFailover?.();
  delete framework.cancelFailover;
  delete framework.unregisteredTime;
  if (known) framework.reregisteredTime = seconds(master.ports.now());
  dropOffersOf(master, framework);
  const before = framework.stream;
  framework.stream = stream;
  before?.send({ type: 'ERROR', error: { message: 'Framework failed over' } });
  before?.close();
  master.ports.log(`Subscribed framework '${requested.name}' ${framework.id}`);
  stream.send({
    type: 'SUBSCRIBED',
    subscribed: {
      framework_id: { value: framework.id },
      heartbeat_interval_seconds: HEARTBEAT_SECONDS,
      master_info: master.info,
    },
  });
  stream.send({ type: 'HEARTBEAT' });
  if (known) tellAgents(master, framework);
  requestAllocation(master);
}

function validateSuppressed(info: FrameworkInfo, suppressed: readonly string[]): string | undefined {
  const roles = rolesOf(info);
  const foreign = suppressed.filter((role) => !roles.includes(role));
  return foreign.length === 0
    ? undefined
    : `Suppressed roles { ${foreign.join(', ')} } are not contained in the set of roles`;
}

function newFrameworkId(master: Master): string {
  const number = master.next.framework;
  master.next.framework += 1;
  return `${master.id}-${String(number).padStart(4, '0')}`;
}

/** Adds a framework that is not yet connected. */
export function addFramework(master: Master, id: string, info: FrameworkInfo): Framework {
  const framework: Framework = {
    id,
    info: { ...info, id: { value: id } },
    roles: rolesOf(info),
    suppressed: new Set(),
    offerConstraints: {},
    recovered: false,
    registeredTime: seconds(master.ports.now()),
    tasks: new Map(),
    unreachableTasks: new Map(),
    completedTasks: [],
    held: new Map(),
    refusals: new Map(),
  };
  master.frameworks.set(id, framework);
  return framework;
}

/** Handles UPDATE_FRAMEWORK. @returns the reason of a refusal, as the answer's body */
export function updateFramework(
  master: Master,
  framework: Framework,
  { framework_info: info, suppressed_roles = [], offer_constraints = {} }: FrameworkRequest,
): string | undefined {
  const invalid = validateFramework(info);
  if (invalid !== undefined) return `Supplied FrameworkInfo is not valid: ${invalid}`;
  const update = validateUpdate(framework.info, info);
  if (update !== undefined) return `FrameworkInfo update is not valid: ${update}`;
  const wrong =
    validateSuppressed(info, suppressed_roles) ?? constraintsProblem(rolesOf(info), offer_constraints);
  if (wrong !== undefined) return `'UpdateFramework' call is not valid: ${wrong}`;
  const changed = !isDeepStrictEqual(framework.info, info);
  framework.info = { ...info, id: { value: framework.id } };
  framework.roles = rolesOf(info);
  framework.suppressed = new Set(suppressed_roles);
  framework.offerConstraints = offer_constraints;
  rescindOffers(master, (o) => o.frameworkId === framework.id && !framework.roles.includes(o.role));
  if (changed) tellAgents(master, framework);
  requestAllocation(master);
  return undefined;
}

function tellAgents(master: Master, framework: Framework): void {
  for (const agent of master.agents.values()) {
    agent.stream?.send({ type: 'UPDATE_FRAMEWORK', framework: framework.info });
  }
}

/** Handles a lost stream. Its offers end; the framework may return within its failover timeout. */
export function handleDisconnect(master: Master, stream: SchedulerStream): void {
  const framework = [...master.frameworks.values()].find((f) => f.stream === stream);
  if (!framework) return;
  master.ports.log(`Framework ${framework.id} disconnected`);
  delete framework.stream;
  framework.unregisteredTime = seconds(master.ports.now());
  dropOffersOf(master, framework);
  framework.refusals.clear();
  startFailover(master, framework);
  requestAllocation(master);
}

function startFailover(master: Master, framework: Framework): void {
  const ms = (framework.info.failover_timeout ?? 0) * 1000;
  master.ports.log(`Giving framework ${framework.id} ${ms / 1000}secs to failover`);
  framework.cancelFailover?.();
  framework.cancelFailover = longTimer(master, ms, () => {
    master.ports.log(`Framework failover timeout, removing framework ${framework.id}`);
    removeFramework(master, framework);
  });
}

/** A timer beyond setTimeout's limit of 2^31 ms, since a failover timeout may be longer. */
function longTimer(master: Master, ms: number, run: () => void): () => void {
  const MAX_MS = 2 ** 31 - 1;
  let cancel: () => void;
  const arm = (left: number) => {
    cancel = master.ports.timer(Math.min(left, MAX_MS), () => (left > MAX_MS ? arm(left - MAX_MS) : run()));
  };
  arm(ms);
  return () => cancel();
}

/** Handles TEARDOWN and the end of the failover timeout: shuts down executors; the id can never be used again. */
export function removeFramework(master: Master, framework: Framework): void {
  framework.cancelFailover?.();
  const { stream } = framework;
  delete framework.stream;
  framework.unregisteredTime = seconds(master.ports.now());
  dropOffersOf(master, framework);
  const message = `Framework ${framework.id} removed`;
  for (const task of [...framework.tasks.values(), ...framework.unreachableTasks.values()]) {
    endTask(master, framework, task, 'TASK_KILLED', message, 'REASON_FRAMEWORK_REMOVED');
  }
  framework.unreachableTasks.clear();
  for (const agent of master.agents.values()) {
    agent.stream?.send({ type: 'SHUTDOWN_FRAMEWORK', framework_id: framework.id });
    for (const executorId of [...(agent.executors.get(framework.id)?.keys() ?? [])]) {
      removeExecutor(master, agent, framework.id, executorId);
    }
  }
  // Closes the stream after the answer to TEARDOWN: a scheduler closes its other connections with the stream.
  master.ports.timer(0, () => stream?.close());
  master.frameworks.delete(framework.id);
  master.completedFrameworks.set(framework.id, framework);
  const [oldest] = master.completedFrameworks.keys();
  if (master.completedFrameworks.size > MAX_COMPLETED_FRAMEWORKS && oldest !== undefined) {
    master.completedFrameworks.delete(oldest);
  }
  master.ports.log(message);
  requestAllocation(master);
}
