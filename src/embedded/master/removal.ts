/** Removal of agents: unreachable agents, which may return, and agents that an operator marked gone. */

import { isTerminal, type TaskState } from '../../mesos/types.ts';
import { type Agent, hasCapability, type Master, sendEvent } from './model.ts';
import { rescindOffers } from './offers.ts';
import { endTask, removeExecutor, removeTask } from './tasks.ts';

/** Marks an agent unreachable. It may return with its tasks. */
export function markUnreachable(master: Master, agent: Agent, message: string): void {
  master.ports.log(`Marking agent ${agent.id} (${agent.info.hostname}) unreachable: ${message}`);
  master.unreachableAgents.set(agent.id, master.ports.now());
  master.metrics.count('master/slave_removals');
  master.metrics.count('master/slave_removals/reason_unhealthy');
  remove(master, agent, message, { state: 'TASK_UNREACHABLE', reason: 'REASON_SLAVE_REMOVED' });
  void master.ports.saveRegistry();
}

/** Marks agents of the registry unreachable that did not return in time after an election. */
export function giveUpRecovered(master: Master): void {
  for (const id of master.recoveredAgents.keys()) {
    master.ports.log(`Agent ${id} did not reregister within the timeout after the election: unreachable`);
    master.unreachableAgents.set(id, master.ports.now());
    master.metrics.count('master/recovery_slave_removals');
  }
  master.recoveredAgents.clear();
  void master.ports.saveRegistry();
}

const GONE = 'Agent has been marked gone';

/** Removes an agent permanently. It is sent SHUTDOWN now if it is connected, or when it returns. */
export function markGone(master: Master, agentId: string): void {
  const agent = master.agents.get(agentId);
  master.ports.log(`Marking agent ${agentId} gone`);
  master.gone.set(agentId, master.ports.now());
  master.recoveredAgents.delete(agentId);
  master.unreachableAgents.delete(agentId);
  master.draining.delete(agentId);
  master.deactivated.delete(agentId);
  const how = { state: 'TASK_GONE_BY_OPERATOR', reason: 'REASON_SLAVE_REMOVED_BY_OPERATOR' } as const;
  if (agent) {
    agent.stream?.send({ type: 'SHUTDOWN', message: GONE });
    master.metrics.count('master/slave_removals');
    remove(master, agent, GONE, how);
    return;
  }
  for (const framework of master.frameworks.values()) {
    for (const task of [...framework.unreachableTasks.values()].filter((t) => t.agentId === agentId)) {
      framework.unreachableTasks.delete(task.info.task_id.value);
      const { state, reason } = forFramework(hasCapability(framework.info, 'PARTITION_AWARE'), how);
      endTask(master, framework, task, state, GONE, reason);
    }
  }
}

interface LostTasks {
  state: TaskState;
  reason: string;
}

function forFramework(partitionAware: boolean, how: LostTasks): LostTasks {
  return partitionAware ? how : { state: 'TASK_LOST', reason: 'REASON_SLAVE_REMOVED' };
}

function remove(master: Master, agent: Agent, message: string, how: LostTasks): void {
  const { stream } = agent;
  delete agent.stream;
  agent.cancelPing?.();
  delete agent.cancelPing;
  master.agents.delete(agent.id);
  for (const task of [...agent.tasks.values()]) {
    const framework = master.frameworks.get(task.frameworkId);
    if (!framework) continue;
    const { state, reason } = forFramework(hasCapability(framework.info, 'PARTITION_AWARE'), how);
    const unreachable = state !== 'TASK_GONE_BY_OPERATOR';
    if (isTerminal(task.state)) removeTask(master, framework, task);
    else endTask(master, framework, task, state, message, reason, unreachable);
  }
  for (const [frameworkId, executors] of agent.executors) {
    for (const id of [...executors.keys()]) removeExecutor(master, agent, frameworkId, id);
  }
  rescindOffers(master, (o) => o.agentId === agent.id);
  for (const framework of master.frameworks.values()) {
    sendEvent(framework, { type: 'FAILURE', failure: { agent_id: { value: agent.id } } });
  }
  stream?.close();
}
