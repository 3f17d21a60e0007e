/** Recovers an agent from the `work_dir` of an earlier run. */

import { MesosupError } from '../../errors/mesosup-error.ts';
import { isTerminal } from '../../mesos/types.ts';
import { formatDuration } from '../wire/duration.ts';
import type { SavedAgent, SavedExecutor, SavedTask } from './checkpoint.ts';
import { findIncompatibility } from './compatibility.ts';
import { endExecutor, handleExecutorExit } from './executors.ts';
import { type Agent, type AgentFramework, type AgentTask, type Executor, isPartitionAware } from './model.ts';
import { latestPath, sandboxPath } from './paths.ts';
import { endIfDone, removeFrameworkIfIdle } from './status.ts';

/**
 * Restores the state of an earlier run. Running executors subscribe again by themselves.
 * @param onEnded called for each executor that has ended in the meantime
 * @throws MesosupError with the reason
 */
export function restore(agent: Agent, saved: SavedAgent, onEnded: () => void): void {
  const { reconfigurationPolicy, workDir } = agent.settings;
  const reason = findIncompatibility(reconfigurationPolicy, saved.info, agent.info);
  if (reason !== undefined) {
    throw new MesosupError(
      `Failed to perform recovery: Incompatible agent info detected.\n${reason}\n` +
        'To keep the agent and its tasks, undo the change, or see whether --reconfiguration_policy=additive' +
        ' permits it.\nTo start as a new agent instead, which ends its tasks, remove the link to the old one:\n' +
        `rm -f ${latestPath(workDir)}`,
    );
  }
  agent.info = { ...agent.info, ...(saved.info.id ? { id: saved.info.id } : {}) };
  agent.ports.checkpoint.saveAgent(agent.info);
  agent.reserved = saved.resources?.reserved ?? [];
  for (const one of saved.resources?.operations ?? []) agent.operations.set(one.uuid, one);
  for (const { info, executors } of saved.frameworks) {
    const framework: AgentFramework = {
      id: info.id?.value ?? '',
      info,
      executors: new Map(),
      terminating: false,
    };
    agent.frameworks.set(framework.id, framework);
    for (const executor of executors) restoreExecutor(agent, framework, executor, onEnded);
    removeFrameworkIfIdle(agent, framework);
  }
  if (saved.drain && agent.frameworks.size > 0) agent.drain = saved.drain;
}

function restoreExecutor(
  agent: Agent,
  framework: AgentFramework,
  saved: SavedExecutor,
  onEnded: () => void,
): void {
  const executorId = saved.info.executor_id.value;
  const names = { agentId: agent.info.id?.value ?? '', frameworkId: framework.id, executorId };
  const executor: Executor = {
    frameworkId: framework.id,
    id: executorId,
    info: saved.info,
    forCommand: saved.forCommand,
    containerId: saved.containerId,
    directory: sandboxPath(agent.settings.workDir, names, saved.containerId),
    checkpoint: true,
    state: 'REGISTERING',
    ...(saved.process ? { process: saved.process } : {}),
    queued: new Map(),
    launched: new Map(),
    terminated: new Map(),
    everSentTask: true,
  };
  framework.executors.set(executorId, executor);
  for (const task of saved.tasks) {
    const taskId = task.info.task_id.value;
    const restored = restoreTask(task);
    (isTerminal(restored.state) ? executor.terminated : executor.launched).set(taskId, restored);
    agent.updates.restore(framework.id, taskId, task.records);
    if (isTerminal(restored.state) && !agent.updates.head(framework.id, taskId))
      executor.terminated.delete(taskId);
  }
  if (saved.process) {
    agent.ports.launcher.adopt(saved.process, (status) => {
      handleExecutorExit(agent, framework, executor, status);
      onEnded();
    });
  } else {
    agent.ports.log(`Executor '${executorId}' of framework ${framework.id} was never started`);
    handleExecutorExit(agent, framework, executor, -1);
  }
}

function restoreTask(saved: SavedTask): AgentTask {
  const all = saved.records.flatMap((r) => (r.type === 'UPDATE' ? [r.status] : []));
  // Only the latest status of each state, as in a running agent.
  const statuses = all.filter((status, i) => status.state !== all[i + 1]?.state);
  return { info: saved.info, state: statuses.at(-1)?.state ?? 'TASK_STAGING', statuses };
}

/** `--recover=cleanup`: kills the executors of an earlier run, deletes that agent, and ends. */
export function cleanUp(agent: Agent): void {
  agent.terminating = true;
  for (const framework of [...agent.frameworks.values()]) {
    framework.terminating = true;
    agent.updates.dropFramework(framework.id);
    for (const executor of [...framework.executors.values()]) {
      endExecutor(agent, executor, {
        state: 'TASK_LOST',
        reason: 'REASON_SLAVE_RESTARTED',
        message: 'Executor killed by the cleanup of its agent',
      });
    }
    removeFrameworkIfIdle(agent, framework);
  }
  endIfDone(agent);
}

/** Kills executors of agents that were replaced by removing the link `latest`, since no agent would end them. */
export function removeOrphans(agent: Agent): void {
  for (const { process, directory } of agent.ports.checkpoint.orphans()) {
    agent.ports.log(`Cleaning up the executor of a replaced agent in '${directory}'`);
    if (process) agent.ports.launcher.destroy(process);
  }
  agent.ports.checkpoint.removeOrphans();
}

/** Lists executors of an earlier run that have neither subscribed nor ended. */
export function silentExecutors(agent: Agent): Executor[] {
  return [...agent.frameworks.values()].flatMap((f) =>
    [...f.executors.values()].filter((e) => e.state === 'REGISTERING'),
  );
}

/** Kills executors that did not subscribe within the reregistration timeout. Their tasks are gone. */
export function killSilentExecutors(agent: Agent): void {
  for (const executor of silentExecutors(agent)) {
    const framework = agent.frameworks.get(executor.frameworkId);
    endExecutor(agent, executor, {
      state: framework && isPartitionAware(framework.info) ? 'TASK_GONE' : 'TASK_LOST',
      reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT',
      message: `Executor did not reregister within ${formatDuration(agent.settings.executorReregistrationTimeoutMs)}`,
    });
  }
}
