/** Builds the agent's registration and handles the master's messages. */

import type { ExecutorInfo, FrameworkInfo } from '../../mesos/types.ts';
import type { AgentMessage, MasterMessage, ReportedTask } from '../wire/agent-link.ts';
import { MESOS_VERSION } from '../wire/version.ts';
import { drain } from './drain.ts';
import { shutdownExecutor, shutdownFramework } from './executors.ts';
import { type Agent, type AgentTask, executorOf, isPartitionAware } from './model.ts';
import { endIfDone, reportAgentStatus } from './status.ts';
import { acknowledge, killTask, runTask } from './tasks.ts';
import { acknowledgeOperation, applyOperation, reportOperations } from './volumes.ts';

/** Builds REGISTER with all executors and tasks of the agent. */
export function registerMessage(agent: Agent): AgentMessage {
  const executors: ExecutorInfo[] = [];
  const tasks: ReportedTask[] = [];
  const running = [...agent.frameworks.values()].filter((f) => !f.terminating);
  for (const framework of running) {
    for (const executor of framework.executors.values()) {
      if (!executor.forCommand && executor.state !== 'TERMINATED') executors.push(executor.info);
      const waiting = [...executor.queued.values()].map(
        (info): AgentTask => ({ info, state: 'TASK_STAGING', statuses: [] }),
      );
      for (const task of [...waiting, ...executor.launched.values(), ...executor.terminated.values()]) {
        const head = agent.updates.head(framework.id, task.info.task_id.value);
        const last = head ?? task.statuses.at(-1);
        tasks.push({
          framework_id: framework.id,
          info: task.info,
          state: task.state,
          ...(last ? { status_update_state: last.state } : {}),
          ...(head ? { status_update_uuid: head.uuid } : {}),
          statuses: task.statuses,
        });
      }
    }
  }
  return {
    type: 'REGISTER',
    agent_info: agent.info,
    ip: agent.ip,
    version: MESOS_VERSION,
    frameworks: [...agent.frameworks.values()].map((f) => f.info),
    executors,
    tasks,
    reserved: agent.reserved,
    operations: [...agent.operations.keys()],
  };
}

/** Handles one message of the master. */
export function handleMasterMessage(agent: Agent, message: MasterMessage): void {
  switch (message.type) {
    case 'REGISTERED':
      handleRegistered(agent, message);
      break;
    case 'PING':
      agent.toMaster?.({ type: 'PONG' });
      break;
    case 'RUN_TASK':
      runTask(agent, message.framework, message.task, message.launch_executor);
      break;
    case 'APPLY_OPERATION':
      applyOperation(agent, message);
      break;
    case 'ACKNOWLEDGE_OPERATION':
      acknowledgeOperation(agent, message);
      break;
    case 'KILL_TASK':
      killTask(agent, message.framework_id, message.task_id, message.kill_policy);
      break;
    case 'ACKNOWLEDGE':
      acknowledge(agent, message.framework_id, message.task_id, message.uuid);
      break;
    case 'SHUTDOWN_EXECUTOR': {
      const executor = agent.frameworks.get(message.framework_id)?.executors.get(message.executor_id);
      if (executor) shutdownExecutor(agent, executor);
      break;
    }
    case 'SHUTDOWN_FRAMEWORK': {
      const framework = agent.frameworks.get(message.framework_id);
      if (!framework) agent.updates.dropFramework(message.framework_id);
      else if (!framework.terminating) shutdownFramework(agent, framework);
      break;
    }
    case 'UPDATE_FRAMEWORK':
      updateFramework(agent, message.framework);
      break;
    case 'FRAMEWORK_MESSAGE':
      agent.frameworks
        .get(message.framework_id)
        ?.executors.get(message.executor_id)
        ?.stream?.send({ type: 'MESSAGE', message: { data: message.data } });
      break;
    case 'DRAIN':
      drain(agent, message.config);
      break;
    case 'SHUTDOWN':
      shutdown(agent, message.message);
      break;
  }
}

function handleRegistered(agent: Agent, message: Extract<MasterMessage, { type: 'REGISTERED' }>): void {
  agent.ports.log(`Registered with master master@${agent.master}; given agent ID ${message.agent_id}`);
  agent.registered = true;
  const before = agent.info.id?.value;
  agent.info = { ...agent.info, id: { value: message.agent_id } };
  if (before !== message.agent_id) agent.ports.checkpoint.saveAgent(agent.info);
  for (const { framework: info, task_ids } of message.reconcile) {
    const id = info.id?.value ?? '';
    const framework = agent.frameworks.get(id) ?? { id, info, executors: new Map(), terminating: false };
    const state = isPartitionAware(info) ? 'TASK_DROPPED' : 'TASK_LOST';
    for (const taskId of task_ids) {
      if (executorOf(framework, taskId)) continue;
      const text = 'Reconciliation: task unknown to the agent';
      reportAgentStatus(agent, framework, taskId, state, 'REASON_RECONCILIATION', text);
    }
  }
  agent.updates.resendAll();
  reportOperations(agent);
}

function shutdown(agent: Agent, why: string): void {
  agent.ports.log(`Agent asked to shut down by master@${agent.master} because '${why}'`);
  agent.terminating = true;
  for (const framework of [...agent.frameworks.values()]) shutdownFramework(agent, framework);
  endIfDone(agent);
}

function updateFramework(agent: Agent, info: FrameworkInfo): void {
  const framework = agent.frameworks.get(info.id?.value ?? '');
  if (!framework || framework.terminating) return;
  framework.info = info;
  if (info.checkpoint) agent.ports.checkpoint.saveFramework(agent.info.id?.value ?? '', info);
}
