/** Validates and performs the calls of `/api/v1/scheduler`, without HTTP. */

import type { KillPolicy, OfferOperation, Resource, TaskInfo, Value } from '../../mesos/types.ts';
import { isUuidBase64 } from '../../mesos/uuid.ts';
import { withoutEmptyLists } from '../wire/empty-lists.ts';
import { CallRefused } from '../wire/http.ts';
import { checkShape, SCHEDULER_CALL } from '../wire/shape.ts';
import { checkDrained } from './drain.ts';
import { type FrameworkRequest, removeFramework, updateFramework } from './frameworks.ts';
import { accept } from './launch.ts';
import type { Framework, Master } from './model.ts';
import { decline, revive, suppress } from './offers.ts';
import { acknowledgeOperation, reconcileOperations } from './operations.ts';
import { reconcile } from './reconcile.ts';
import { acknowledge, kill, messageToExecutor, shutdownExecutor } from './tasks.ts';

interface Filters {
  refuse_seconds?: number;
}

interface RawOperation {
  type?: string;
  id?: Value;
  launch?: { task_infos?: TaskInfo[] };
  reserve?: { resources?: Resource[] };
  unreserve?: { resources?: Resource[] };
  create?: { volumes?: Resource[] };
  destroy?: { volumes?: Resource[] };
}

/** A call in JSON. It has the part that its type names; other parts are ignored. */
export interface RawCall {
  type: CallType;
  framework_id?: Value;
  subscribe?: FrameworkRequest;
  accept?: {
    offer_ids?: Value[];
    operations?: RawOperation[];
    filters?: Filters;
  };
  decline?: { offer_ids?: Value[]; filters?: Filters };
  revive?: { roles?: string[] };
  suppress?: { roles?: string[] };
  kill?: { task_id: Value; agent_id?: Value; kill_policy?: KillPolicy };
  shutdown?: { executor_id: Value; agent_id?: Value };
  acknowledge?: { agent_id: Value; task_id: Value; uuid: string };
  reconcile?: { tasks?: { task_id: Value; agent_id?: Value }[] };
  acknowledge_operation_status?: { agent_id?: Value; uuid: string; operation_id: Value };
  reconcile_operations?: { operations?: { operation_id: Value; agent_id?: Value }[] };
  message?: { agent_id: Value; executor_id: Value; data: string };
  update_framework?: FrameworkRequest;
}

/** The required part of each call; TEARDOWN, REVIVE and SUPPRESS need none. */
const PARTS = {
  SUBSCRIBE: 'subscribe',
  TEARDOWN: undefined,
  ACCEPT: 'accept',
  DECLINE: 'decline',
  REVIVE: undefined,
  SUPPRESS: undefined,
  KILL: 'kill',
  SHUTDOWN: 'shutdown',
  ACKNOWLEDGE: 'acknowledge',
  RECONCILE: 'reconcile',
  ACKNOWLEDGE_OPERATION_STATUS: 'acknowledge_operation_status',
  RECONCILE_OPERATIONS: 'reconcile_operations',
  MESSAGE: 'message',
  UPDATE_FRAMEWORK: 'update_framework',
} as const;
export type CallType = keyof typeof PARTS;

/** @param principal of the request, if the master requires authentication. @throws CallRefused */
export function validateCall(call: Record<string, unknown>, principal: string | undefined): RawCall {
  const wrong = checkShape(call, SCHEDULER_CALL);
  if (wrong !== undefined) throw new CallRefused(400, `Failed to convert JSON into Call protobuf: ${wrong}`);
  const raw = call as unknown as RawCall;
  const error = callError(raw, principal);
  if (error !== undefined) throw new CallRefused(400, `Failed to validate scheduler::Call: ${error}`);
  return raw;
}

function callError(call: RawCall, principal: string | undefined): string | undefined {
  if (!Object.hasOwn(PARTS, call.type ?? '')) return "Expecting 'type' to be present";
  const part = PARTS[call.type];
  if (call.type === 'SUBSCRIBE') {
    if (!call.subscribe) return "Expecting 'subscribe' to be present";
    const info = call.subscribe.framework_info;
    if ((info.id?.value ?? '') !== (call.framework_id?.value ?? '')) {
      return "'framework_id' differs from 'subscribe.framework_info.id'";
    }
    if (principal !== undefined && info.principal !== undefined && principal !== info.principal) {
      return (
        `Authenticated principal '${principal}' does not match principal '${info.principal}'` +
        ' set in `FrameworkInfo`'
      );
    }
    return undefined;
  }
  if (!call.framework_id) return "Expecting 'framework_id' to be present";
  if (part !== undefined && call[part] === undefined) return `Expecting '${part}' to be present`;
  if (
    call.type === 'ACKNOWLEDGE_OPERATION_STATUS' &&
    !isUuidBase64(call.acknowledge_operation_status?.uuid ?? '')
  ) {
    return 'Not a valid UUID';
  }
  if (call.type === 'ACKNOWLEDGE' && !isUuidBase64(call.acknowledge?.uuid ?? '')) return 'Not a valid UUID';
  if (
    call.type === 'UPDATE_FRAMEWORK' &&
    call.update_framework?.framework_info.id?.value !== call.framework_id.value
  ) {
    return "'framework_id' differs from 'update_framework.framework_info.id'";
  }
  return undefined;
}

/** Finds the framework of a call other than SUBSCRIBE. @throws CallRefused if the sender may not act for it */
export function callingFramework(
  master: Master,
  call: RawCall,
  streamId: string | undefined,
  principal: string | undefined,
): Framework {
  const framework = master.frameworks.get(call.framework_id?.value ?? '');
  if (!framework) throw new CallRefused(400, 'Framework cannot be found');
  if (principal !== undefined && principal !== framework.info.principal) {
    throw new CallRefused(
      400,
      `Authenticated principal '${principal}' does not match principal '${framework.info.principal}'` +
        ' set in `FrameworkInfo`',
    );
  }
  if (!framework.stream) throw new CallRefused(403, 'Framework is not subscribed');
  if (streamId === undefined) {
    throw new CallRefused(400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header");
  }
  if (streamId !== framework.stream.id) {
    throw new CallRefused(
      400,
      `The stream ID '${streamId}' included in this request didn't match the stream ID currently associated` +
        ` with framework ID ${framework.id}`,
    );
  }
  return framework;
}

function checkDrainedById(master: Master, agentId: string | undefined): void {
  const agent = master.agents.get(agentId ?? '');
  if (agent) checkDrained(master, agent);
}

/** Operations that the embedded master does not know are ignored, as a real one ignores unknown ones. */
function readOperation({
  type,
  id,
  launch,
  reserve,
  unreserve,
  create,
  destroy,
}: RawOperation): OfferOperation[] {
  const named = id && { id };
  switch (type) {
    case 'LAUNCH':
      return [{ type, launch: { task_infos: (launch?.task_infos ?? []).map(normalizeTask) } }];
    case 'RESERVE':
      return [{ type, ...named, reserve: { resources: reserve?.resources ?? [] } }];
    case 'UNRESERVE':
      return [{ type, ...named, unreserve: { resources: unreserve?.resources ?? [] } }];
    case 'CREATE':
      return [{ type, ...named, create: { volumes: create?.volumes ?? [] } }];
    case 'DESTROY':
      return [{ type, ...named, destroy: { volumes: destroy?.volumes ?? [] } }];
    default:
      return [];
  }
}

/** The discovery information is shown as Mesos keeps it. */
function normalizeTask({ discovery, ...task }: TaskInfo): TaskInfo {
  return { ...task, ...(discovery && { discovery: withoutEmptyLists(discovery) }) };
}

/** Performs a call other than SUBSCRIBE. @returns the status of the answer. @throws CallRefused */
export function handleCall(master: Master, framework: Framework, call: RawCall): 200 | 202 {
  const name = call.type.toLowerCase();
  master.metrics.count(`master/frameworks/${framework.info.name}/${framework.id}/calls/${name}`);
  switch (call.type) {
    case 'TEARDOWN':
      removeFramework(master, framework);
      break;
    case 'ACCEPT':
      accept(master, framework, {
        offer_ids: call.accept?.offer_ids ?? [],
        operations: (call.accept?.operations ?? []).flatMap(readOperation),
        refuseSeconds: call.accept?.filters?.refuse_seconds,
      });
      break;
    case 'DECLINE':
      decline(
        master,
        framework,
        (call.decline?.offer_ids ?? []).map((id) => id.value),
        call.decline?.filters?.refuse_seconds,
      );
      break;
    case 'REVIVE':
      revive(master, framework, call.revive?.roles ?? []);
      break;
    case 'SUPPRESS':
      suppress(framework, call.suppress?.roles ?? []);
      break;
    case 'KILL':
      if (call.kill) kill(master, framework, call.kill);
      break;
    case 'SHUTDOWN':
      shutdownExecutor(
        master,
        framework,
        call.shutdown?.agent_id?.value ?? '',
        call.shutdown?.executor_id.value ?? '',
      );
      break;
    case 'ACKNOWLEDGE':
      if (call.acknowledge) acknowledge(master, framework, call.acknowledge);
      checkDrainedById(master, call.acknowledge?.agent_id.value);
      break;
    case 'RECONCILE':
      reconcile(master, framework, call.reconcile?.tasks ?? []);
      break;
    case 'ACKNOWLEDGE_OPERATION_STATUS':
      if (call.acknowledge_operation_status) {
        acknowledgeOperation(master, framework, call.acknowledge_operation_status);
      }
      break;
    case 'RECONCILE_OPERATIONS':
      reconcileOperations(master, framework, call.reconcile_operations?.operations ?? []);
      break;
    case 'MESSAGE':
      if (call.message) messageToExecutor(master, framework, call.message);
      break;
    case 'UPDATE_FRAMEWORK': {
      const error = call.update_framework && updateFramework(master, framework, call.update_framework);
      if (error !== undefined) throw new CallRefused(400, error);
      return 200;
    }
    case 'SUBSCRIBE':
      throw new CallRefused(400, 'Failed to validate scheduler::Call: SUBSCRIBE opens a stream of its own');
  }
  return 202;
}
