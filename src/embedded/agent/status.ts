/** Handles status updates of executors, and creates updates for tasks that end without one. */

import { type ContainerStatus, isTerminal, type TaskState, type TaskStatus } from '../../mesos/types.ts';
import type { DrainConfig } from '../wire/agent-link.ts';
import {
  type Agent,
  type AgentFramework,
  agentId,
  type Executor,
  executorOf,
  isPartitionAware,
  nowSeconds,
} from './model.ts';

/** Creates an update of the agent itself. */
export function reportAgentStatus(
  agent: Agent,
  framework: AgentFramework,
  taskId: string,
  state: TaskState,
  reason: string,
  message: string,
  executorId?: string,
): void {
  takeUpdate(agent, framework, {
    task_id: { value: taskId },
    state,
    message,
    source: 'SOURCE_AGENT',
    reason,
    ...(executorId === undefined ? {} : { executor_id: { value: executorId } }),
    timestamp: nowSeconds(agent),
    uuid: agent.ports.updateUuid(),
  });
}

/**
 * Takes an update of an executor or of the agent itself: changes the task's state and forwards the update.
 */
export function takeUpdate(
  agent: Agent,
  framework: AgentFramework,
  received: TaskStatus & { uuid: string },
): void {
  if (framework.terminating) {
    agent.ports.log(
      `Ignoring update of task ${received.task_id.value}: framework ${framework.id} is terminating`,
    );
    return;
  }
  const taskId = received.task_id.value;
  const executor = executorOf(framework, taskId);
  const fromExecutor = received.source === 'SOURCE_EXECUTOR';
  const status = {
    ...received,
    ...(agent.drain ? drainedStatus(agent.drain, framework, received.state) : {}),
    agent_id: { value: agentId(agent) },
    timestamp: received.timestamp ?? nowSeconds(agent),
    ...(executor && fromExecutor
      ? { container_status: containerStatus(agent, executor, received.container_status) }
      : {}),
  };
  agent.ports.log(`Status update ${status.state} of task ${taskId} of framework ${framework.id}`);
  if (executor && !changeState(executor, status)) {
    agent.ports.log(`Dropping update ${status.state} of task ${taskId}: it has ended`);
    return;
  }
  agent.updates.add(framework.id, status);
}

/** Sets the reason for tasks that end because of draining, and the state if the agent will be marked gone. */
function drainedStatus(
  drain: DrainConfig,
  framework: AgentFramework,
  state: TaskState,
): { reason?: string; state?: TaskState } {
  if (state !== 'TASK_KILLING' && state !== 'TASK_KILLED') return {};
  const gone = drain.mark_gone && isPartitionAware(framework.info);
  return { reason: 'REASON_SLAVE_DRAINING', ...(gone ? { state: 'TASK_GONE_BY_OPERATOR' } : {}) };
}

function containerStatus(
  agent: Agent,
  executor: Executor,
  received: ContainerStatus | undefined,
): ContainerStatus {
  return {
    ...received,
    container_id: received?.container_id ?? { value: executor.containerId },
    network_infos: received?.network_infos?.length
      ? received.network_infos
      : [{ ip_addresses: [{ protocol: 'IPv4', ip_address: agent.ip }] }],
    ...(executor.process ? { executor_pid: executor.process.pid } : {}),
  };
}

/** @returns false if the task had already ended; a repeated update passes, and is recognized later */
function changeState(executor: Executor, status: TaskStatus): boolean {
  const taskId = status.task_id.value;
  const queued = executor.queued.get(taskId);
  if (queued) {
    executor.queued.delete(taskId);
    const task = { info: queued, state: status.state, statuses: [status] };
    if (isTerminal(status.state)) executor.terminated.set(taskId, task);
    else executor.launched.set(taskId, task);
    return true;
  }
  const task = executor.launched.get(taskId);
  if (!task) return executor.terminated.get(taskId)?.statuses.some((s) => s.uuid === status.uuid) ?? true;
  task.state = status.state;
  if (task.statuses.at(-1)?.state === status.state) task.statuses.pop();
  task.statuses.push(status);
  if (isTerminal(status.state)) {
    executor.launched.delete(taskId);
    executor.terminated.set(taskId, task);
  }
  return true;
}

export function removeFrameworkIfIdle(agent: Agent, framework: AgentFramework): void {
  if (framework.executors.size > 0) return;
  agent.frameworks.delete(framework.id);
  if (framework.info.checkpoint) agent.ports.checkpoint.removeFramework(agentId(agent), framework.id);
  if (agent.frameworks.size > 0) return;
  if (agent.drain) {
    agent.ports.log('Agent finished draining');
    delete agent.drain;
    agent.ports.checkpoint.saveDrain(agentId(agent), undefined);
  }
  endIfDone(agent);
}

/** Ends an agent that shuts down or cleans up, after its last executor. */
export function endIfDone(agent: Agent): void {
  if (!agent.terminating || agent.frameworks.size > 0) return;
  if (agent.recovering) agent.ports.checkpoint.forgetAgent();
  agent.ports.end(0, 'Agent terminating');
}

/** Reports the end of an executor that the master knows. @param status as in wait(2), -1 if unknown */
export function reportExited(agent: Agent, frameworkId: string, executorId: string, status: number): void {
  agent.toMaster?.({
    type: 'EXITED_EXECUTOR',
    framework_id: frameworkId,
    executor_id: executorId,
    status,
  });
}
