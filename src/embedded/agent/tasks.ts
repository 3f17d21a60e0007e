/** Starts and kills tasks, and deletes them after the acknowledgement of their last update. */

import {
  type ExecutorInfo,
  type FrameworkInfo,
  isTerminal,
  type KillPolicy,
  type TaskInfo,
} from '../../mesos/types.ts';
import { endExecutor, launchExecutor, removeIfDone, shutdownExecutor } from './executors.ts';
import {
  type Agent,
  type AgentFramework,
  agentId,
  type Executor,
  executorOf,
  isPartitionAware,
} from './model.ts';
import { removeFrameworkIfIdle, reportAgentStatus, reportExited } from './status.ts';
import { linkVolumes } from './volumes.ts';

/** Handles RUN_TASK. @param launchExecutorFlag true if the master expects a new executor; undefined for a command task */
export function runTask(
  agent: Agent,
  frameworkInfo: FrameworkInfo,
  task: TaskInfo,
  launchExecutorFlag: boolean | undefined,
): void {
  const framework = frameworkFor(agent, frameworkInfo);
  const taskId = task.task_id.value;
  if (framework.terminating) {
    agent.ports.log(`Ignoring task ${taskId}: framework ${framework.id} is terminating`);
    return;
  }
  const drop = (reason: string, message: string, executorId?: string) => {
    const state = isPartitionAware(framework.info) ? 'TASK_DROPPED' : 'TASK_LOST';
    reportAgentStatus(agent, framework, taskId, state, reason, message, executorId);
  };
  if (agent.drain) {
    drop('REASON_SLAVE_DRAINING', 'Task was received while agent was already draining');
    if (launchExecutorFlag) reportExited(agent, framework.id, task.executor?.executor_id.value ?? '', -1);
    removeFrameworkIfIdle(agent, framework);
    return;
  }
  const info = task.executor ?? commandExecutorInfo(framework.id, task);
  const executorId = info.executor_id.value;
  let executor = framework.executors.get(executorId);
  if (!task.executor && executor) {
    drop('REASON_TASK_INVALID', 'Cannot reuse an already existing executor for a command task', executorId);
    return;
  }
  if (launchExecutorFlag === true && executor) {
    const { state } = executor;
    drop('REASON_EXECUTOR_TERMINATED', 'Master wants to launch executor, but one already exists', executorId);
    reportExited(agent, framework.id, executorId, -1);
    if (state === 'REGISTERING' || state === 'RUNNING') shutdownExecutor(agent, executor);
    return;
  }
  if (launchExecutorFlag === false && !executor) {
    drop(
      'REASON_EXECUTOR_TERMINATED',
      'No executor is expected to launch and there is none running',
      executorId,
    );
    return;
  }
  if (!executor) {
    try {
      executor = launchExecutor(agent, framework, info, task);
    } catch (error) {
      drop('REASON_EXECUTOR_TERMINATED', (error as Error).message, executorId);
      if (task.executor) reportExited(agent, framework.id, executorId, -1);
      removeFrameworkIfIdle(agent, framework);
      return;
    }
  }
  if (executor.state === 'TERMINATING' || executor.state === 'TERMINATED') {
    drop('REASON_EXECUTOR_TERMINATED', `Executor ${executor.state.toLowerCase()}`);
    return;
  }
  if (executor.checkpoint) agent.ports.checkpoint.saveTask(agentId(agent), executor, task);
  if (executor.state === 'RUNNING') deliver(agent, executor, task);
  else executor.queued.set(taskId, task);
}

function frameworkFor(agent: Agent, info: FrameworkInfo): AgentFramework {
  const id = info.id?.value ?? '';
  const known = agent.frameworks.get(id);
  if (known) return known;
  const framework: AgentFramework = { id, info, executors: new Map(), terminating: false };
  agent.frameworks.set(id, framework);
  if (info.checkpoint) agent.ports.checkpoint.saveFramework(agentId(agent), info);
  return framework;
}

/** Describes the executor of a plain command, with Mesos' names. It has no resources besides the task's. */
function commandExecutorInfo(frameworkId: string, task: TaskInfo): ExecutorInfo {
  const { command } = task;
  const taskId = task.task_id.value;
  const line =
    command?.shell === false ? (command.arguments ?? []).join(', ') : `sh -c '${command?.value ?? ''}'`;
  const short = line.length > 15 ? `${line.slice(0, 12)}...` : line;
  return {
    executor_id: { value: taskId },
    framework_id: { value: frameworkId },
    name: `Command Executor (Task: ${taskId}) (Command: ${short})`,
    source: taskId,
    command: {
      shell: false,
      ...(command?.environment ? { environment: command.environment } : {}),
      ...(command?.user === undefined ? {} : { user: command.user }),
      ...(command?.uris ? { uris: command.uris } : {}),
    },
    resources: [],
  };
}

/** Mounts the volumes of a task, and sends it to its subscribed executor. */
export function deliver(agent: Agent, executor: Executor, task: TaskInfo): void {
  executor.queued.delete(task.task_id.value);
  executor.launched.set(task.task_id.value, { info: task, state: 'TASK_STAGING', statuses: [] });
  try {
    linkVolumes(agent, task.resources, executor.directory, executor.user);
  } catch (error) {
    const reason = 'REASON_CONTAINER_UPDATE_FAILED';
    const { message } = error as Error;
    endExecutor(agent, executor, { state: 'TASK_FAILED', reason, message });
    return;
  }
  executor.everSentTask = true;
  executor.stream?.send({ type: 'LAUNCH', launch: { task } });
}

export function killTask(
  agent: Agent,
  frameworkId: string,
  taskId: string,
  killPolicy: KillPolicy | undefined,
): void {
  const framework = agent.frameworks.get(frameworkId);
  if (!framework || framework.terminating) {
    agent.ports.log(`Ignoring kill of task ${taskId}: framework ${frameworkId} does not run here`);
    return;
  }
  const executor = executorOf(framework, taskId);
  if (!executor) {
    const state = isPartitionAware(framework.info) ? 'TASK_DROPPED' : 'TASK_LOST';
    reportAgentStatus(agent, framework, taskId, state, 'REASON_EXECUTOR_TERMINATED', 'Cannot find executor');
    return;
  }
  if (executor.queued.has(taskId)) {
    const reason = 'REASON_TASK_KILLED_DURING_LAUNCH';
    const message = 'Killed before delivery to the executor';
    reportAgentStatus(agent, framework, taskId, 'TASK_KILLED', reason, message, executor.id);
    return;
  }
  if (executor.state !== 'RUNNING' && executor.state !== 'REGISTERING') {
    agent.ports.log(`Ignoring kill of task ${taskId}: its executor is ${executor.state.toLowerCase()}`);
    return;
  }
  executor.stream?.send({
    type: 'KILL',
    kill: { task_id: { value: taskId }, ...(killPolicy && { kill_policy: killPolicy }) },
  });
}

/** Handles the framework's acknowledgement of an update. After the last one, the task is deleted. */
export function acknowledge(agent: Agent, frameworkId: string, taskId: string, uuid: string): void {
  const framework = agent.frameworks.get(frameworkId);
  const status = agent.updates.acknowledge(frameworkId, taskId, uuid);
  if (!status) {
    agent.ports.log(`Ignoring acknowledgement of task ${taskId}: no update of that uuid waits for one`);
    return;
  }
  if (!framework || !isTerminal(status.state)) return;
  const executor = executorOf(framework, taskId);
  if (!executor) {
    removeFrameworkIfIdle(agent, framework);
    return;
  }
  executor.terminated.delete(taskId);
  if (executor.checkpoint) agent.ports.checkpoint.removeTask(agentId(agent), executor, taskId);
  removeIfDone(agent, framework, executor);
  removeFrameworkIfIdle(agent, framework);
}
