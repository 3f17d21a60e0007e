/** An agent that starts over an earlier run's `work_dir` goes on where that one ended. */

import { isTerminal } from '../../mesos/types.ts';
import { formatDuration } from '../wire/duration.ts';
import type { SavedAgent, SavedExecutor, SavedTask } from './checkpoint.ts';
import { incompatibility } from './compatibility.ts';
import { endExecutor, executorExited } from './executors.ts';
import { type Agent, type AgentFramework, type AgentTask, type Executor, isPartitionAware } from './model.ts';
import { sandboxPath } from './paths.ts';
import { removeFrameworkIfIdle } from './status.ts';

/** The agent is not what it was, so it may not go on as that one. */
class IncompatibleAgentError extends Error {
  override name = 'IncompatibleAgentError';
}

/**
 * Takes over what an earlier run left. Its executors, where they live, subscribe again by themselves.
 * @param onEnded called after an executor proved to have ended meanwhile
 * @throws IncompatibleAgentError with the reason
 */
export function restore(agent: Agent, saved: SavedAgent, onEnded: () => void): void {
  const reason = incompatibility(saved.info, agent.info);
  if (reason !== undefined) {
    throw new IncompatibleAgentError(
      'Incompatible agent info detected. Configuration change not permitted under `additive` policy: ' +
        `${reason}. Undo the change; or, to replace the agent, which ends its tasks, remove ` +
        `${agent.settings.workDir}/meta/slaves/latest and start again`,
    );
  }
  agent.info = { ...agent.info, ...(saved.info.id ? { id: saved.info.id } : {}) };
  agent.ports.checkpoint.saveAgent(agent.info);
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
      executorExited(agent, framework, executor, status);
      onEnded();
    });
  } else {
    agent.ports.log(`Executor '${executorId}' of framework ${framework.id} was never started`);
    executorExited(agent, framework, executor, -1);
  }
}

function restoreTask(saved: SavedTask): AgentTask {
  const statuses = saved.records.flatMap((r) => (r.type === 'UPDATE' ? [r.status] : []));
  return { info: saved.info, state: statuses.at(-1)?.state ?? 'TASK_STAGING', statuses };
}

/** Executors of an earlier run that have neither subscribed nor ended. */
export function awaited(agent: Agent): Executor[] {
  return [...agent.frameworks.values()].flatMap((f) =>
    [...f.executors.values()].filter((e) => e.state === 'REGISTERING'),
  );
}

/** Those that stayed silent for the reregistration timeout are killed, their tasks gone. */
export function giveUpSilent(agent: Agent): void {
  for (const executor of awaited(agent)) {
    const framework = agent.frameworks.get(executor.frameworkId);
    endExecutor(agent, executor, {
      state: framework && isPartitionAware(framework.info) ? 'TASK_GONE' : 'TASK_LOST',
      reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT',
      message: `Executor did not reregister within ${formatDuration(agent.settings.executorReregistrationTimeoutMs)}`,
    });
  }
}
