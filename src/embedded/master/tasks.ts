/** Handles launched tasks: updates, acknowledgements, kills, ends. */

import { isTerminal, type KillPolicy, type TaskState, type TaskStatus } from '../../mesos/types.ts';
import {
  type Agent,
  allocationRole,
  createMasterStatus,
  executorAmounts,
  executorOn,
  type Framework,
  MAX_COMPLETED_TASKS,
  type Master,
  returnResources,
  sendEvent,
  type Task,
  taskKey,
  taskNames,
} from './model.ts';
import { requestAllocation } from './offers.ts';
import { reconcile } from './reconcile.ts';

/** True if a task in this state uses resources of its agent. */
function usesResources(state: TaskState): boolean {
  return !isTerminal(state) && state !== 'TASK_UNREACHABLE';
}

/** Changes the state of a task. A terminal state frees its resources, even before the acknowledgement. */
function setState(master: Master, task: Task, state: TaskState, status: TaskStatus): void {
  const last = task.statuses.at(-1);
  if (last?.state === status.state) task.statuses[task.statuses.length - 1] = status;
  else task.statuses.push(status);
  if (isTerminal(task.state)) return;
  const freed = usesResources(task.state) && !usesResources(state);
  task.state = state;
  if (!freed) return;
  const framework = master.frameworks.get(task.frameworkId);
  const agent = master.agents.get(task.agentId);
  if (framework)
    returnResources(agent, framework, allocationRole(framework, task.info.resources), task.amounts);
  if (isTerminal(state)) master.metrics.countEnd(state, status.source ?? 'SOURCE_MASTER', status.reason);
  requestAllocation(master);
}

/** Moves a task to the completed or to the unreachable tasks. */
export function removeTask(master: Master, framework: Framework, task: Task, unreachable = false): void {
  const id = task.info.task_id.value;
  if (framework.tasks.get(id) === task) framework.tasks.delete(id);
  master.agents.get(task.agentId)?.tasks.delete(taskKey(framework.id, id));
  master.agents.get(task.agentId)?.killed.delete(taskKey(framework.id, id));
  if (unreachable) {
    framework.unreachableTasks.set(id, task);
    return;
  }
  framework.completedTasks.push(task);
  if (framework.completedTasks.length > MAX_COMPLETED_TASKS) framework.completedTasks.shift();
}

/** Ends a task on an agent with an update of the master, and sends it to the framework. */
export function endTask(
  master: Master,
  framework: Framework,
  task: Task,
  state: TaskState,
  message: string,
  reason: string,
  unreachable = false,
): void {
  const status = createMasterStatus(master, taskNames(task), state, message, reason);
  setState(master, task, state, status);
  task.updateState = state;
  removeTask(master, framework, task, unreachable);
  sendEvent(framework, { type: 'UPDATE', update: { status } });
}

/** Handles an agent's update. Updates of unknown tasks (for example dropped tasks) are forwarded, too. */
export function handleAgentUpdate(
  master: Master,
  agent: Agent,
  frameworkId: string,
  status: TaskStatus,
  latestState: TaskState,
): void {
  const framework = master.frameworks.get(frameworkId);
  if (!framework) {
    master.ports.log(`Ignoring update of task ${status.task_id.value}: framework ${frameworkId} is unknown`);
    return;
  }
  const task = framework.tasks.get(status.task_id.value);
  const mine = task !== undefined && task.agentId === agent.id;
  if (mine) {
    setState(master, task, latestState, status);
    task.updateState = status.state;
    if (status.uuid !== undefined) task.updateUuid = status.uuid;
  } else if (isTerminal(status.state)) {
    master.metrics.countEnd(status.state, status.source ?? 'SOURCE_AGENT', status.reason);
  }
  master.metrics.count('master/valid_status_updates');
  master.ports.log(
    `Status update ${status.state} of task ${status.task_id.value} of framework ${frameworkId}`,
  );
  sendEvent(framework, { type: 'UPDATE', update: { status } });
}

export function acknowledge(
  master: Master,
  framework: Framework,
  call: { agent_id: { value: string }; task_id: { value: string }; uuid: string },
): void {
  const agent = master.agents.get(call.agent_id.value);
  const taskId = call.task_id.value;
  if (!agent?.stream) {
    const why = agent ? 'is disconnected' : 'is not registered';
    master.ports.log(`Cannot send acknowledgement for task ${taskId}: agent ${call.agent_id.value} ${why}`);
    master.metrics.count('master/invalid_status_update_acknowledgements');
    return;
  }
  master.metrics.count('master/valid_status_update_acknowledgements');
  const task = framework.tasks.get(taskId);
  if (
    task?.agentId === agent.id &&
    task.updateUuid === call.uuid &&
    isTerminal(task.updateState ?? task.state)
  ) {
    removeTask(master, framework, task);
  }
  agent.stream.send({ type: 'ACKNOWLEDGE', framework_id: framework.id, task_id: taskId, uuid: call.uuid });
}

/** Kills a task. An unknown task is reconciled instead. A disconnected agent gets the kill when it returns. */
export function kill(
  master: Master,
  framework: Framework,
  call: { task_id: { value: string }; agent_id?: { value: string }; kill_policy?: KillPolicy },
): void {
  const id = call.task_id.value;
  const task = framework.tasks.get(id);
  if (!task) {
    master.ports.log(`Cannot kill task ${id} of framework ${framework.id}: it is unknown; reconciling`);
    reconcile(master, framework, [
      { task_id: call.task_id, ...(call.agent_id && { agent_id: call.agent_id }) },
    ]);
    return;
  }
  if (call.agent_id && call.agent_id.value !== task.agentId) {
    master.ports.log(
      `Cannot kill task ${id} of agent ${call.agent_id.value}: it is on agent ${task.agentId}`,
    );
    return;
  }
  const agent = master.agents.get(task.agentId);
  agent?.killed.add(taskKey(framework.id, id));
  agent?.stream?.send({
    type: 'KILL_TASK',
    framework_id: framework.id,
    task_id: id,
    ...(call.kill_policy && { kill_policy: call.kill_policy }),
  });
}

export function shutdownExecutor(
  master: Master,
  framework: Framework,
  agentId: string,
  executorId: string,
): void {
  const agent = master.agents.get(agentId);
  if (!agent?.stream) {
    master.ports.log(`Unable to shut down executor '${executorId}': agent ${agentId} is not connected`);
    return;
  }
  agent.stream.send({ type: 'SHUTDOWN_EXECUTOR', framework_id: framework.id, executor_id: executorId });
}

export function messageToExecutor(
  master: Master,
  framework: Framework,
  call: { agent_id: { value: string }; executor_id: { value: string }; data: string },
): void {
  const agent = master.agents.get(call.agent_id.value);
  if (!agent?.stream) {
    master.ports.log(`Cannot send framework message: agent ${call.agent_id.value} is not connected`);
    return;
  }
  const executor_id = call.executor_id.value;
  agent.stream.send({ type: 'FRAMEWORK_MESSAGE', framework_id: framework.id, executor_id, data: call.data });
}

export function messageFromExecutor(
  master: Master,
  agent: Agent,
  message: { framework_id: string; executor_id: string; data: string },
): void {
  const framework = master.frameworks.get(message.framework_id);
  if (!framework) return;
  sendEvent(framework, {
    type: 'MESSAGE',
    message: {
      agent_id: { value: agent.id },
      executor_id: { value: message.executor_id },
      data: message.data,
    },
  });
}

/** Frees the resources of an ended executor and informs its framework. The agent sends the updates of its tasks. */
export function handleExitedExecutor(
  master: Master,
  agent: Agent,
  message: { framework_id: string; executor_id: string; status: number },
): void {
  const { framework_id: frameworkId, executor_id: executorId, status } = message;
  if (!removeExecutor(master, agent, frameworkId, executorId)) return;
  master.ports.log(
    `Executor '${executorId}' of framework ${frameworkId} on agent ${agent.id} exited: ${status}`,
  );
  const framework = master.frameworks.get(frameworkId);
  if (!framework) return;
  sendEvent(framework, {
    type: 'FAILURE',
    failure: { agent_id: { value: agent.id }, executor_id: { value: executorId }, status },
  });
}

/** @returns false if the master doesn't know the executor */
export function removeExecutor(
  master: Master,
  agent: Agent,
  frameworkId: string,
  executorId: string,
): boolean {
  const executor = executorOn(agent, frameworkId, executorId);
  if (!executor) return false;
  agent.executors.get(frameworkId)?.delete(executorId);
  if (agent.executors.get(frameworkId)?.size === 0) agent.executors.delete(frameworkId);
  const framework = master.frameworks.get(frameworkId);
  const role = framework ? allocationRole(framework, executor.resources) : '*';
  returnResources(agent, framework, role, executorAmounts(executor));
  requestAllocation(master);
  return true;
}
