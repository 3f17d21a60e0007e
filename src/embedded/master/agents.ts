/** Registration, disconnection and return of agents. */

import { heldAmounts, plainAmounts } from '../../mesos/held.ts';
import { type FrameworkInfo, isTerminal, type TaskStatus } from '../../mesos/types.ts';
import type { AgentMessage, ReportedTask } from '../wire/agent-link.ts';
import { resendDrain } from './drain.ts';
import { addFramework } from './frameworks.ts';
import {
  type Agent,
  type AgentStream,
  allocationRole,
  createMasterStatus,
  executorAmounts,
  type Framework,
  knownDetails,
  type Master,
  seconds,
  sendEvent,
  type Task,
  takeResources,
  taskKey,
  taskNames,
} from './model.ts';
import { requestAllocation, rescindOffers } from './offers.ts';
import { dropMissingOperations, totalOf } from './operations.ts';
import { markUnreachable } from './removal.ts';
import { endTask, removeExecutor, removeTask } from './tasks.ts';

export type Register = Extract<AgentMessage, { type: 'REGISTER' }>;

/**
 * Registers a new or returning agent with its tasks and executors. A second connection of an agent replaces the first.
 * @returns undefined for an agent that was marked gone, which is sent SHUTDOWN
 */
export function registerAgent(master: Master, message: Register, stream: AgentStream): Agent | undefined {
  const givenId = message.agent_info.id?.value;
  if (givenId !== undefined && master.gone.has(givenId)) {
    master.ports.log(`Refusing to reregister agent ${givenId} at ${message.ip}: it has been marked gone`);
    stream.send({ type: 'SHUTDOWN', message: 'Agent has been marked gone' });
    stream.close();
    return undefined;
  }
  if (givenId !== undefined) master.recoveredAgents.delete(givenId);
  const known = givenId === undefined ? undefined : master.agents.get(givenId);
  const wasUnreachable = givenId !== undefined && master.unreachableAgents.delete(givenId);
  const agent = known ?? addAgent(master, givenId, message);
  const missing = known ? tasksMissing(known, message.tasks) : [];
  if (known) {
    known.stream?.close();
    known.reregisteredTime = seconds(master.ports.now());
    rescindOffers(master, (o) => o.agentId === known.id);
    known.info = { ...message.agent_info, id: { value: known.id } };
    known.ip = message.ip;
    known.version = message.version;
    resetResources(master, known, missing, message);
  }
  agent.stream = stream;
  master.metrics.count(givenId === undefined ? 'master/slave_registrations' : 'master/slave_reregistrations');
  master.ports.log(
    `${givenId === undefined ? 'Registered' : 'Re-registered'} agent ${agent.id} at ${agent.ip}:${agent.info.port}` +
      ` (${agent.info.hostname})`,
  );
  for (const info of message.frameworks) recoverFramework(master, info);
  const { agentPingTimeoutMs, maxAgentPingTimeouts } = master.settings;
  stream.send({
    type: 'REGISTERED',
    agent_id: agent.id,
    total_ping_timeout_ms: agentPingTimeoutMs * maxAgentPingTimeouts,
    reconcile: reconcileRequests(master, missing),
  });
  takeReported(master, agent, message, wasUnreachable);
  dropMissingOperations(master, agent, message.operations ?? []);
  resendOrders(master, agent, message);
  resendDrain(master, agent);
  watch(master, agent);
  void master.ports.saveRegistry();
  requestAllocation(master);
  return agent;
}

function addAgent(master: Master, givenId: string | undefined, message: Register): Agent {
  const id = givenId ?? `${master.id}-S${master.next.agent}`;
  if (givenId === undefined) master.next.agent += 1;
  const total = totalOf(message.agent_info, message.reserved ?? []);
  const agent: Agent = {
    id,
    info: { ...message.agent_info, id: { value: id } },
    ip: message.ip,
    version: message.version,
    registeredTime: seconds(master.ports.now()),
    total,
    available: total,
    executors: new Map(),
    tasks: new Map(),
    operations: new Map(),
    killed: new Set(),
    missedPings: 0,
  };
  master.agents.set(id, agent);
  return agent;
}

function tasksMissing(agent: Agent, reported: readonly ReportedTask[]): Task[] {
  const there = new Set(reported.map((t) => taskKey(t.framework_id, t.info.task_id.value)));
  return [...agent.tasks.values()].filter((t) => !there.has(taskKey(t.frameworkId, t.info.task_id.value)));
}

/** Resets the resources of a returning agent. Only tasks missing in its report stay until they are reconciled. */
function resetResources(
  master: Master,
  agent: Agent,
  missing: readonly Task[],
  { reserved = [] }: Register,
): void {
  for (const [frameworkId, executors] of agent.executors) {
    for (const id of [...executors.keys()]) removeExecutor(master, agent, frameworkId, id);
  }
  for (const [key, task] of agent.tasks) {
    if (missing.includes(task)) continue;
    agent.tasks.delete(key);
    const framework = master.frameworks.get(task.frameworkId);
    framework?.tasks.delete(task.info.task_id.value);
    if (framework && !isTerminal(task.state)) release(framework, task);
  }
  agent.total = totalOf(agent.info, reserved);
  agent.available = agent.total;
  for (const task of missing) {
    if (!isTerminal(task.state)) takeResources(agent, undefined, '*', task.amounts);
  }
}

function release(framework: Framework, task: Task): void {
  const held = framework.held.get(allocationRole(framework, task.info.resources));
  for (const [name, milli] of plainAmounts(task.amounts).scalars)
    held?.set(name, (held.get(name) ?? 0) - milli);
}

/** Adds a framework of an earlier master. It may subscribe again at any time, without a timeout. */
function recoverFramework(master: Master, info: FrameworkInfo): void {
  const id = info.id?.value ?? '';
  if (id === '' || master.frameworks.has(id) || master.completedFrameworks.has(id)) return;
  addFramework(master, id, info).recovered = true;
}

function reconcileRequests(
  master: Master,
  missing: readonly Task[],
): { framework: FrameworkInfo; task_ids: string[] }[] {
  const byFramework = new Map<string, string[]>();
  for (const task of missing) {
    byFramework.set(task.frameworkId, [
      ...(byFramework.get(task.frameworkId) ?? []),
      task.info.task_id.value,
    ]);
  }
  return [...byFramework].flatMap(([id, task_ids]) => {
    const framework = master.frameworks.get(id);
    return framework ? [{ framework: framework.info, task_ids }] : [];
  });
}

function takeReported(master: Master, agent: Agent, message: Register, wasUnreachable: boolean): void {
  for (const executor of message.executors) {
    const framework = master.frameworks.get(executor.framework_id?.value ?? '');
    if (!framework) continue;
    const executors = agent.executors.get(framework.id) ?? new Map();
    executors.set(executor.executor_id.value, executor);
    agent.executors.set(framework.id, executors);
    takeResources(agent, framework, allocationRole(framework, executor.resources), executorAmounts(executor));
  }
  for (const reported of message.tasks) {
    const framework = master.frameworks.get(reported.framework_id);
    if (!framework) continue;
    const task = takeTask(agent, framework, reported);
    if (!wasUnreachable) continue;
    const text = 'Unreachable agent re-reregistered';
    const names = taskNames(task);
    const status = createMasterStatus(
      master,
      names,
      task.state,
      text,
      'REASON_SLAVE_REREGISTERED',
      knownDetails(task),
    );
    sendEvent(framework, { type: 'UPDATE', update: { status } });
  }
}

function takeTask(agent: Agent, framework: Framework, reported: ReportedTask): Task {
  const id = reported.info.task_id.value;
  framework.unreachableTasks.delete(id);
  const completed = framework.completedTasks.findIndex((t) => t.info.task_id.value === id);
  if (completed >= 0) framework.completedTasks.splice(completed, 1);
  const statuses: TaskStatus[] = [...reported.statuses];
  const task: Task = {
    info: reported.info,
    frameworkId: framework.id,
    agentId: agent.id,
    amounts: heldAmounts(reported.info.resources),
    state: reported.state,
    ...(reported.status_update_state ? { updateState: reported.status_update_state } : {}),
    ...(reported.status_update_uuid ? { updateUuid: reported.status_update_uuid } : {}),
    statuses,
  };
  framework.tasks.set(id, task);
  agent.tasks.set(taskKey(framework.id, id), task);
  if (!isTerminal(task.state)) {
    takeResources(agent, framework, allocationRole(framework, task.info.resources), task.amounts);
  }
  return task;
}

/** Sends the orders that the agent missed: kills, and shutdowns of removed frameworks. */
function resendOrders(master: Master, agent: Agent, message: Register): void {
  for (const info of message.frameworks) {
    const id = info.id?.value ?? '';
    const framework = master.frameworks.get(id);
    if (framework) agent.stream?.send({ type: 'UPDATE_FRAMEWORK', framework: framework.info });
    else agent.stream?.send({ type: 'SHUTDOWN_FRAMEWORK', framework_id: id });
  }
  for (const task of agent.tasks.values()) {
    const task_id = task.info.task_id.value;
    if (!isTerminal(task.state) && agent.killed.has(taskKey(task.frameworkId, task_id))) {
      agent.stream?.send({ type: 'KILL_TASK', framework_id: task.frameworkId, task_id });
    }
  }
}

/** Sends a ping every `agent_ping_timeout`. After `max_agent_ping_timeouts` without an answer the agent is unreachable. */
function watch(master: Master, agent: Agent): void {
  agent.missedPings = 0;
  if (agent.cancelPing) return;
  const ping = () => {
    if (agent.missedPings >= master.settings.maxAgentPingTimeouts) {
      markUnreachable(master, agent, 'health check timed out');
      return;
    }
    agent.missedPings += 1;
    agent.stream?.send({ type: 'PING' });
    agent.cancelPing = master.ports.timer(master.settings.agentPingTimeoutMs, ping);
  };
  ping();
}

/** Handles a lost connection. Tasks of frameworks without checkpointing are lost; other tasks wait for the agent. */
export function handleAgentDisconnect(master: Master, agent: Agent, stream: AgentStream): void {
  if (agent.stream !== stream) return;
  delete agent.stream;
  master.ports.log(`Agent ${agent.id} (${agent.info.hostname}) disconnected`);
  rescindOffers(master, (o) => o.agentId === agent.id);
  for (const task of [...agent.tasks.values()]) {
    const framework = master.frameworks.get(task.frameworkId);
    if (!framework || framework.info.checkpoint) continue;
    const message = `Agent ${agent.info.hostname} disconnected`;
    if (isTerminal(task.state)) removeTask(master, framework, task);
    else endTask(master, framework, task, 'TASK_LOST', message, 'REASON_SLAVE_DISCONNECTED');
  }
  for (const [frameworkId, executors] of agent.executors) {
    if (master.frameworks.get(frameworkId)?.info.checkpoint) continue;
    for (const id of [...executors.keys()]) removeExecutor(master, agent, frameworkId, id);
  }
}
