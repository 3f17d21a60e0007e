/** Handles ACCEPT: launches tasks on offers, and changes reservations and volumes. */

import { heldAmounts } from '../../mesos/held.ts';
import { type Amounts, add, NOTHING, subtract } from '../../mesos/resources.ts';
import type { OfferOperation, TaskInfo, TaskState } from '../../mesos/types.ts';
import {
  type Agent,
  createMasterStatus,
  executorAmounts,
  executorOn,
  type Framework,
  lostState,
  type Master,
  type OutstandingOffer,
  sendEvent,
  type Task,
  takeResources,
  taskKey,
} from './model.ts';
import { refuse, removeOffer, requestAllocation } from './offers.ts';
import { applyOperation, reportRefused } from './operations.ts';
import { normalizeTask, validateTask } from './task-validation.ts';

export interface Accept {
  offer_ids: readonly { value: string }[];
  operations: readonly OfferOperation[];
  /** From the call's filters; undefined for the default. */
  refuseSeconds: number | undefined;
}

export function accept(master: Master, framework: Framework, call: Accept): void {
  const ids = call.offer_ids.map((id) => id.value);
  const { operations } = call;
  const offers = ids.flatMap((id) => master.offers.get(id) ?? []);
  const error = validateOffers(ids, offers, framework);
  const first = offers[0];
  if (error !== undefined || first === undefined) {
    for (const offer of offers) if (offer.frameworkId === framework.id) removeOffer(master, offer);
    master.ports.log(`ACCEPT call used invalid offers '${ids.join(', ')}': ${error}`);
    dropAll(master, framework, operations, {
      task: `Task launched with invalid offers: ${error}`,
      operation: `Operation attempted with invalid offers: ${error}`,
      reason: 'REASON_INVALID_OFFERS',
    });
    return;
  }
  for (const offer of offers) removeOffer(master, offer);
  const agent = master.agents.get(first.agentId);
  if (!agent?.stream) {
    const [message, reason] = agent
      ? ['Agent disconnected', 'REASON_SLAVE_DISCONNECTED']
      : ['Agent removed', 'REASON_SLAVE_REMOVED'];
    dropAll(master, framework, operations, { task: message, operation: message, reason });
    return;
  }
  const offered = offers.reduce<Amounts>((sum, offer) => add(sum, offer.amounts), NOTHING);
  let left = offered;
  for (const operation of operations) {
    if (operation.type === 'LAUNCH') {
      left = launchAll(master, framework, agent, first.role, left, operation.launch.task_infos);
      continue;
    }
    const applied = applyOperation({ master, framework, agent, role: first.role }, operation, left);
    if (typeof applied !== 'string') left = applied;
    else reportRefused(framework, operation, 'OPERATION_ERROR', applied, master);
  }
  // Converted resources are no part of the refusal, so they are offered again at once.
  refuse(
    master,
    framework,
    { agentId: agent.id, role: first.role, amounts: keep(left, offered) },
    call.refuseSeconds,
  );
  if (operations.some(({ type }) => type !== 'LAUNCH')) requestAllocation(master);
}

/** The kinds of resources that were offered before. */
function keep(left: Amounts, offered: Amounts): Amounts {
  return {
    scalars: new Map([...left.scalars].filter(([key]) => offered.scalars.has(key))),
    ranges: new Map([...left.ranges].filter(([key]) => offered.ranges.has(key))),
  };
}

function dropAll(
  master: Master,
  framework: Framework,
  operations: readonly OfferOperation[],
  why: { task: string; operation: string; reason: string },
): void {
  const state = lostState(framework.info, 'TASK_DROPPED');
  for (const one of operations) {
    if (one.type === 'LAUNCH')
      rejectTasks(master, framework, one.launch.task_infos, state, why.task, why.reason);
    else reportRefused(framework, one, 'OPERATION_ERROR', why.operation, master);
  }
}

function validateOffers(
  ids: readonly string[],
  found: readonly OutstandingOffer[],
  framework: Framework,
): string | undefined {
  if (ids.length === 0) return 'No offers specified';
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) return `Duplicate offer ${id} in offer list`;
    seen.add(id);
  }
  const known = new Map(found.map((offer) => [offer.id, offer]));
  for (const id of ids) {
    const offer = known.get(id);
    if (!offer) return `Offer ${id} is no longer valid`;
    if (offer.frameworkId !== framework.id) {
      return `Offer ${id} has invalid framework ${offer.frameworkId} while framework ${framework.id} is expected`;
    }
  }
  const [first, ...others] = found;
  for (const offer of others) {
    if (offer.role !== first?.role) {
      return (
        `Aggregated offers must be allocated to the same role. Offer ${offer.id} uses role '${offer.role}'` +
        ` but another is using role '${first?.role}'`
      );
    }
    if (offer.agentId !== first.agentId) {
      return (
        `Aggregated offers must belong to one single agent. Offer ${offer.id} uses agent ${offer.agentId}` +
        ` and agent ${first.agentId}`
      );
    }
  }
  return undefined;
}

/** Launches the valid tasks, in order. @returns the remaining resources of the offers */
function launchAll(
  master: Master,
  framework: Framework,
  agent: Agent,
  role: string,
  offered: Amounts,
  tasks: readonly TaskInfo[],
): Amounts {
  let left = offered;
  for (const requested of tasks) {
    const task = normalizeTask(requested, framework.id, role);
    const error = validateTask(task, {
      frameworkId: framework.id,
      agentId: agent.id,
      left,
      role,
      taskState: (id) =>
        framework.tasks.has(id) ? 'known' : framework.unreachableTasks.has(id) ? 'unreachable' : 'none',
      executor: (id) => executorOn(agent, framework.id, id),
    });
    if (error === undefined) left = subtract(left, launch(master, framework, agent, role, task));
    else rejectTasks(master, framework, [requested], 'TASK_ERROR', error, 'REASON_TASK_INVALID');
  }
  return left;
}

/** @returns the resources of the launch, including those of a new executor */
function launch(master: Master, framework: Framework, agent: Agent, role: string, info: TaskInfo): Amounts {
  const task: Task = {
    info,
    frameworkId: framework.id,
    agentId: agent.id,
    amounts: heldAmounts(info.resources),
    state: 'TASK_STAGING',
    statuses: [],
  };
  let taken = task.amounts;
  const { executor } = info;
  const isNew = executor && executorOn(agent, framework.id, executor.executor_id.value) === undefined;
  if (executor && isNew) {
    taken = add(taken, executorAmounts(executor));
    const executors = agent.executors.get(framework.id) ?? new Map();
    executors.set(executor.executor_id.value, executor);
    agent.executors.set(framework.id, executors);
  }
  takeResources(agent, framework, role, taken);
  framework.tasks.set(info.task_id.value, task);
  agent.tasks.set(taskKey(framework.id, info.task_id.value), task);
  master.ports.log(`Launching task ${info.task_id.value} of framework ${framework.id} on agent ${agent.id}`);
  agent.stream?.send({
    type: 'RUN_TASK',
    framework: framework.info,
    task: info,
    ...(executor ? { launch_executor: isNew === true } : {}),
  });
  return taken;
}

/** Sends the updates of tasks that were not started. */
function rejectTasks(
  master: Master,
  framework: Framework,
  tasks: readonly TaskInfo[],
  state: TaskState,
  message: string,
  reason: string,
): void {
  for (const task of tasks) {
    master.ports.log(`Task ${task.task_id.value} of framework ${framework.id}: ${state}, ${message}`);
    master.metrics.countEnd(state, 'SOURCE_MASTER', reason);
    const names = { taskId: task.task_id.value, agentId: task.agent_id?.value };
    const status = createMasterStatus(master, names, state, message, reason);
    sendEvent(framework, { type: 'UPDATE', update: { status } });
  }
}
