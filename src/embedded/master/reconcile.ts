/** Handles RECONCILE: sends the states of a framework's tasks. */

import type { TaskState } from '../../mesos/types.ts';
import {
  createMasterStatus,
  type Framework,
  knownDetails,
  lostState,
  type Master,
  sendEvent,
  type Task,
  taskNames,
} from './model.ts';

const REASON = 'REASON_RECONCILIATION';

/** @param tasks the requested tasks; empty for all tasks of the framework */
export function reconcile(
  master: Master,
  framework: Framework,
  tasks: readonly { task_id: { value: string }; agent_id?: { value: string } }[],
): void {
  if (tasks.length === 0) {
    for (const task of framework.tasks.values()) tellLatest(master, framework, task);
    return;
  }
  for (const { task_id, agent_id } of tasks) {
    const task = framework.tasks.get(task_id.value);
    if (task) {
      tellLatest(master, framework, task);
      continue;
    }
    const agentId = agent_id?.value;
    if (isRecovering(master, framework, agentId)) {
      master.ports.log(
        `Dropping reconciliation of task ${task_id.value} because ` +
          `${agentId ? `agent ${agentId} has` : 'some agents have'} not yet reregistered`,
      );
      continue;
    }
    const [state, message] = unknownTask(master, agentId);
    const names = { taskId: task_id.value, agentId };
    const status = createMasterStatus(master, names, lostState(framework.info, state), message, REASON);
    sendEvent(framework, { type: 'UPDATE', update: { status } });
  }
}

function tellLatest(master: Master, framework: Framework, task: Task): void {
  const state = task.updateState ?? task.state;
  const message = 'Reconciliation: Latest task state';
  const status = createMasterStatus(master, taskNames(task), state, message, REASON, knownDetails(task));
  sendEvent(framework, { type: 'UPDATE', update: { status } });
}

function unknownTask(master: Master, agentId: string | undefined): [TaskState, string] {
  if (agentId !== undefined && master.agents.has(agentId)) {
    return ['TASK_GONE', 'Reconciliation: Task is unknown to the agent'];
  }
  if (agentId !== undefined && master.unreachableAgents.has(agentId)) {
    return ['TASK_UNREACHABLE', 'Reconciliation: Task is unreachable'];
  }
  if (agentId !== undefined && master.gone.has(agentId)) {
    return ['TASK_GONE_BY_OPERATOR', 'Reconciliation: Task is gone'];
  }
  return ['TASK_UNKNOWN', 'Reconciliation: Task is unknown'];
}

/**
 * True if a task may be on an agent that has not returned since the election; the master then sends no answer. With a
 * registry, these are the agents in it that have not registered again. Without a registry, these are agents whose id is
 * from an earlier master, during `agent_reregister_timeout`.
 */
function isRecovering(master: Master, framework: Framework, agentId: string | undefined): boolean {
  if (agentId === undefined ? master.recoveredAgents.size > 0 : master.recoveredAgents.has(agentId))
    return true;
  if (master.ports.now() - master.startTime >= master.settings.agentReregisterTimeoutMs) return false;
  if (agentId === undefined) return !framework.id.startsWith(`${master.id}-`);
  if (master.agents.has(agentId) || master.unreachableAgents.has(agentId)) return false;
  return (
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-S\d+$/.test(agentId) && !agentId.startsWith(`${master.id}-`)
  );
}
