/** Implements `/api/v1/executor`: subscriptions, updates and messages of executors. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutorEvent, TaskInfo, TaskStatus, Value } from '../../mesos/types.ts';
import { isUuidBase64 } from '../../mesos/uuid.ts';
import type { Principal } from '../wire/authentication.ts';
import {
  acceptsJson,
  answerEmpty,
  answerText,
  CallRefused,
  methodNotAllowed,
  openEventStream,
  readCall,
} from '../wire/http.ts';
import { checkShape, EXECUTOR_CALL } from '../wire/shape.ts';
import { shutdownExecutor } from './executors.ts';
import {
  type Agent,
  type AgentFramework,
  type Executor,
  type ExecutorStream,
  isPartitionAware,
} from './model.ts';
import { reportAgentStatus, takeUpdate } from './status.ts';
import { deliver } from './tasks.ts';

/** Interval of heartbeats on an executor's stream. */
const HEARTBEAT_MS = 30 * 60 * 1000;

const RECOVERING = 'Agent has not finished recovery';

interface Subscribe {
  unacknowledged_tasks?: TaskInfo[];
  unacknowledged_updates?: { status: TaskStatus }[];
}

interface RawCall {
  type: 'SUBSCRIBE' | 'UPDATE' | 'MESSAGE' | 'HEARTBEAT';
  executor_id?: Value;
  framework_id?: Value;
  subscribe?: Subscribe;
  update?: { status: TaskStatus };
  message?: { data: string };
}

/**
 * @param principal the authenticated sender, if authentication is required
 * @param onSubscribed called after each subscription; recovery waits for subscriptions
 */
export async function executorApi(
  agent: Agent,
  principal: Principal | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  onSubscribed: () => void,
): Promise<void> {
  if (request.method !== 'POST') return methodNotAllowed(response, request.method);
  const call = validateCall(await readCall(request));
  if (call.type === 'HEARTBEAT') return answerEmpty(response, 202);
  if (call.type === 'SUBSCRIBE' && !acceptsJson(request)) {
    return answerText(
      response,
      406,
      "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
    );
  }
  if (call.type !== 'SUBSCRIBE' && agent.recovering) throw new CallRefused(503, RECOVERING);
  const framework = agent.frameworks.get(call.framework_id?.value ?? '');
  if (!framework) throw new CallRefused(400, 'Framework cannot be found');
  const executor = framework.executors.get(call.executor_id?.value ?? '');
  if (!executor) throw new CallRefused(400, 'Executor cannot be found');
  if (principal) {
    const error = claimError(principal, framework.id, executor);
    if (error !== undefined) throw new CallRefused(403, error);
  }
  if (call.type === 'SUBSCRIBE') {
    subscribe(agent, framework, executor, call.subscribe ?? {}, response);
    onSubscribed();
    return;
  }
  if (executor.state === 'REGISTERING') throw new CallRefused(403, 'Executor is not subscribed');
  if (call.type === 'UPDATE' && call.update) update(agent, framework, executor, call.update.status);
  if (call.type === 'MESSAGE' && call.message) {
    agent.toMaster?.({
      type: 'EXECUTOR_MESSAGE',
      framework_id: framework.id,
      executor_id: executor.id,
      data: call.message.data,
    });
  }
  answerEmpty(response, 202);
}

/** Checks that the token belongs to this run of the executor. @returns the problem, if any */
function claimError(principal: Principal, frameworkId: string, executor: Executor): string | undefined {
  const claims = 'claims' in principal ? principal.claims : {};
  if (claims.fid !== frameworkId) {
    return `The token does not contain an 'fid' claim with the framework ID ${frameworkId}, which is set in the call`;
  }
  if (claims.eid !== executor.id) {
    return `The token does not contain an 'eid' claim with the executor ID ${executor.id}, which is set in the call`;
  }
  if (claims.cid !== executor.containerId) {
    return "The token does not contain a 'cid' claim with the correct active ContainerID";
  }
  return undefined;
}

function validateCall(call: Record<string, unknown>): RawCall {
  const wrong = checkShape(call, EXECUTOR_CALL);
  if (wrong !== undefined) throw new CallRefused(400, `Failed to convert JSON into Call protobuf: ${wrong}`);
  const raw = call as unknown as RawCall;
  const error = callError(raw);
  if (error !== undefined) throw new CallRefused(400, `Failed to validate Executor::Call: ${error}`);
  return raw;
}

/** Returns the problem of a call, in Mesos' words. */
function callError(call: RawCall): string | undefined {
  if (!['SUBSCRIBE', 'UPDATE', 'MESSAGE', 'HEARTBEAT'].includes(call.type)) {
    return "Expecting 'type' to be present";
  }
  if (!call.executor_id) return "Expecting 'executor_id' to be present";
  if (!call.framework_id) return "Expecting 'framework_id' to be present";
  if (call.type === 'SUBSCRIBE' && !call.subscribe) return "Expecting 'subscribe' to be present";
  if (call.type === 'MESSAGE' && !call.message) return "Expecting 'message' to be present";
  if (call.type !== 'UPDATE') return undefined;
  const status = call.update?.status;
  if (!status) return "Expecting 'update' to be present";
  if (status.uuid === undefined) return "Expecting 'uuid' to be present";
  if (!isUuidBase64(status.uuid)) return 'Not a valid UUID';
  const executorId = call.executor_id.value;
  if (status.executor_id && status.executor_id.value !== executorId) {
    return `ExecutorID in Call: ${executorId} does not match ExecutorID in TaskStatus: ${status.executor_id.value}`;
  }
  const who = `executor ${executorId} of framework ${call.framework_id.value}`;
  if (status.source !== 'SOURCE_EXECUTOR') {
    return `Received Call from ${who} with invalid source, expecting 'SOURCE_EXECUTOR'`;
  }
  if (status.state === 'TASK_STAGING') return `Received TASK_STAGING from ${who} which is not allowed`;
  return undefined;
}

function subscribe(
  agent: Agent,
  framework: AgentFramework,
  executor: Executor,
  call: Subscribe,
  response: ServerResponse,
): void {
  const stream: ExecutorStream = openEventStream<ExecutorEvent>(
    response,
    {},
    () => {
      if (executor.stream === stream) delete executor.stream;
    },
    { event: { type: 'HEARTBEAT' }, everyMs: HEARTBEAT_MS },
  );
  if (framework.terminating || executor.state === 'TERMINATING' || executor.state === 'TERMINATED') {
    agent.ports.log(`Telling executor '${executor.id}' to shut down: it is ${executor.state.toLowerCase()}`);
    stream.send({ type: 'SHUTDOWN' });
    stream.close();
    return;
  }
  agent.ports.log(`Executor '${executor.id}' of framework ${framework.id} subscribed`);
  executor.stream?.close();
  executor.stream = stream;
  executor.state = 'RUNNING';
  executor.cancelRegistration?.();
  for (const { status } of call.unacknowledged_updates ?? []) {
    if (status.uuid !== undefined && isUuidBase64(status.uuid)) update(agent, framework, executor, status);
  }
  dropNeverReceived(agent, framework, executor, call.unacknowledged_tasks ?? []);
  if (!executor.everSentTask && executor.queued.size === 0) {
    shutdownExecutor(agent, executor);
    return;
  }
  stream.send({
    type: 'SUBSCRIBED',
    subscribed: {
      executor_info: executor.info,
      framework_info: framework.info,
      agent_info: agent.info,
      container_id: { value: executor.containerId },
    },
  });
  for (const task of [...executor.queued.values()]) deliver(agent, executor, task);
}

/** Drops STAGING tasks that the executor doesn't report, since it never received them. */
function dropNeverReceived(
  agent: Agent,
  framework: AgentFramework,
  executor: Executor,
  tasks: readonly TaskInfo[],
): void {
  const known = new Set(tasks.map((t) => t.task_id.value));
  const state = isPartitionAware(framework.info) ? 'TASK_DROPPED' : 'TASK_LOST';
  for (const [taskId, task] of [...executor.launched]) {
    if (task.state !== 'TASK_STAGING' || known.has(taskId)) continue;
    const message = 'Task launched during agent restart';
    reportAgentStatus(agent, framework, taskId, state, 'REASON_SLAVE_RESTARTED', message, executor.id);
  }
}

/** Takes an update and acknowledges it to the executor immediately. The agent handles the framework's acknowledgement. */
function update(agent: Agent, framework: AgentFramework, executor: Executor, status: TaskStatus): void {
  const uuid = status.uuid ?? '';
  takeUpdate(agent, framework, { ...status, uuid, source: 'SOURCE_EXECUTOR' });
  executor.stream?.send({ type: 'ACKNOWLEDGED', acknowledged: { task_id: status.task_id, uuid } });
}
