/**
 * Handles the operations of an ACCEPT on resources: reservations and volumes. Texts are those of Mesos 1.11
 * (master.cpp and validation.cpp).
 */

import {
  containsHeld,
  filterHeld,
  fromHeld,
  heldAmounts,
  reservationsOf,
  withoutReservation,
  withoutVolume,
} from '../../mesos/held.ts';
import { type Amounts, add, subtract } from '../../mesos/resources.ts';
import type { AgentInfo, OperationState, Resource } from '../../mesos/types.ts';
import type { ReportedOperation } from '../wire/agent-link.ts';
import { formatResources, wireResources } from '../wire/resource-text.ts';
import { type Agent, type Framework, type Master, type Operation, sendEvent } from './model.ts';
import { requestAllocation } from './offers.ts';
import { operationError, type ResourceOperation, resourcesOf } from './operation-validation.ts';

/** The resources of an agent: its configured ones, of which `reserved` takes the place of a part. */
export function totalOf(info: AgentInfo, reserved: readonly Resource[]): Amounts {
  const bare = heldAmounts(reserved.map(withoutAll));
  return add(subtract(heldAmounts(info.resources ?? []), bare), heldAmounts(reserved));
}

function withoutAll(resource: Resource): Resource {
  const bare = withoutVolume(resource);
  return reservationsOf(bare).length === 0 ? bare : withoutAll(withoutReservation(bare));
}

export interface Context {
  readonly master: Master;
  readonly framework: Framework;
  readonly agent: Agent;
  /** The role of the accepted offers. */
  readonly role: string;
}

/** Applies an operation to what is left of the offers. @returns what is left afterwards, or the reason of the refusal */
export function applyOperation(
  context: Context,
  operation: ResourceOperation,
  left: Amounts,
): Amounts | string {
  const { agent, framework, role } = context;
  const problem = operationError(operation, framework.info, role, agent);
  if (problem !== undefined) return problem;
  const { consumed, converted } = conversionOf(operation);
  const from = heldAmounts(consumed);
  if (!containsHeld(left, from)) {
    return `${formatResources(wireResources(left, role))} does not contain ${formatResources(consumed)}`;
  }
  const to = heldAmounts(converted);
  const change = (amounts: Amounts) => add(subtract(amounts, from), to);
  agent.total = change(agent.total);
  agent.available = change(agent.available);
  sendToAgent(context, operation);
  return change(left);
}

function sendToAgent({ master, framework, agent }: Context, { id, type }: ResourceOperation): void {
  const operation: Operation = {
    uuid: `${master.id}-P${master.next.operation}`,
    frameworkId: framework.id,
    ...(id && { id: id.value }),
    type,
    state: 'OPERATION_PENDING',
  };
  master.next.operation += 1;
  agent.operations.set(operation.uuid, operation);
  master.ports.log(`Applying ${type} operation from framework ${framework.id} to agent ${agent.id}`);
  const reserved = fromHeld(
    filterHeld(
      agent.total,
      ({ reservations, disk }) => reservations.length > 0 || disk?.persistence !== undefined,
    ),
  );
  agent.stream?.send({
    type: 'APPLY_OPERATION',
    uuid: operation.uuid,
    framework_id: framework.id,
    ...(id && { operation_id: id.value }),
    reserved,
  });
}

function conversionOf(operation: ResourceOperation): { consumed: Resource[]; converted: Resource[] } {
  const named = [...resourcesOf(operation)];
  switch (operation.type) {
    case 'RESERVE':
      return { consumed: named.map(withoutReservation), converted: named };
    case 'UNRESERVE':
      return { consumed: named, converted: named.map(withoutReservation) };
    case 'CREATE':
      return { consumed: named.map(withoutVolume), converted: named };
    case 'DESTROY':
      return { consumed: named, converted: named.map(withoutVolume) };
  }
}

/** Reports an operation that was not performed. The report is not repeated and needs no acknowledgement. */
export function reportRefused(
  framework: Framework,
  { id, type }: ResourceOperation,
  state: OperationState,
  message: string,
  master: Master,
): void {
  master.ports.log(`Dropping ${type} operation from framework ${framework.id}: ${message}`);
  if (!id) return;
  sendEvent(framework, {
    type: 'UPDATE_OPERATION_STATUS',
    update_operation_status: { status: { operation_id: id, state, message } },
  });
}

/** Handles the result of an operation. The master acknowledges results that no framework waits for. */
export function handleOperationResult(master: Master, agent: Agent, reported: ReportedOperation): void {
  const framework = master.frameworks.get(reported.framework_id);
  const known = agent.operations.get(reported.uuid);
  if (known) known.state = reported.state;
  if (reported.operation_id === undefined || !framework) {
    agent.operations.delete(reported.uuid);
    const { uuid, status_uuid } = reported;
    agent.stream?.send({ type: 'ACKNOWLEDGE_OPERATION', uuid, status_uuid });
    return;
  }
  const { uuid, framework_id: frameworkId, operation_id: id, state } = reported;
  agent.operations.set(uuid, { ...(known ?? { type: 'RESERVE' }), uuid, frameworkId, id, state });
  sendEvent(framework, {
    type: 'UPDATE_OPERATION_STATUS',
    update_operation_status: {
      status: {
        operation_id: { value: id },
        state,
        uuid: { value: reported.status_uuid },
        agent_id: { value: agent.id },
      },
    },
  });
}

export function acknowledgeOperation(
  master: Master,
  framework: Framework,
  call: { agent_id?: { value: string }; operation_id: { value: string }; uuid: string },
): void {
  const agent = master.agents.get(call.agent_id?.value ?? '');
  const operation = agent && operationOf(agent, framework.id, call.operation_id.value);
  if (!agent || !operation) {
    master.ports.log(`Ignoring acknowledgement of operation ${call.operation_id.value}: it is unknown`);
    return;
  }
  agent.operations.delete(operation.uuid);
  agent.stream?.send({ type: 'ACKNOWLEDGE_OPERATION', uuid: operation.uuid, status_uuid: call.uuid });
}

function operationOf(agent: Agent, frameworkId: string, id: string): Operation | undefined {
  return [...agent.operations.values()].find((one) => one.frameworkId === frameworkId && one.id === id);
}

/** Sends the state of operations. Operations that neither master nor agent knows are unknown. */
export function reconcileOperations(
  master: Master,
  framework: Framework,
  operations: readonly { operation_id: { value: string }; agent_id?: { value: string } }[],
): void {
  for (const { operation_id, agent_id } of operations) {
    const agents = [...master.agents.values()];
    const known = agents.flatMap((a) => operationOf(a, framework.id, operation_id.value) ?? [])[0];
    const state = known?.state ?? unknownState(master, agent_id?.value);
    sendEvent(framework, {
      type: 'UPDATE_OPERATION_STATUS',
      update_operation_status: {
        status: {
          operation_id,
          state,
          message: 'Reconciliation: Operation is known to the agent'.replace(
            'known',
            known ? 'known' : 'unknown',
          ),
          ...(agent_id && { agent_id }),
        },
      },
    });
  }
}

function unknownState(master: Master, agentId = ''): OperationState {
  if (master.recoveredAgents.has(agentId)) return 'OPERATION_RECOVERING';
  if (master.unreachableAgents.has(agentId)) return 'OPERATION_UNREACHABLE';
  return master.gone.has(agentId) ? 'OPERATION_GONE_BY_OPERATOR' : 'OPERATION_UNKNOWN';
}

/** Reports operations that never reached a returning agent. */
export function dropMissingOperations(master: Master, agent: Agent, reported: readonly string[]): void {
  for (const { uuid, frameworkId, id } of [...agent.operations.values()]) {
    if (reported.includes(uuid)) continue;
    agent.operations.delete(uuid);
    const framework = master.frameworks.get(frameworkId);
    if (!framework || id === undefined) continue;
    sendEvent(framework, {
      type: 'UPDATE_OPERATION_STATUS',
      update_operation_status: {
        status: {
          operation_id: { value: id },
          state: 'OPERATION_DROPPED',
          message: 'Reconciliation: the operation never reached the agent',
          agent_id: { value: agent.id },
        },
      },
    });
  }
  requestAllocation(master);
}
