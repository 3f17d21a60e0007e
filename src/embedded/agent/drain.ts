/** Drains an agent for an operator: kills its tasks and refuses new tasks. Source: Slave::drain of Mesos 1.11. */

import type { KillPolicy, TaskInfo } from '../../mesos/types.ts';
import type { DrainConfig } from '../wire/agent-link.ts';
import { type Agent, agentId } from './model.ts';
import { killTask } from './tasks.ts';

/** Starts draining. The request stays until no framework is left on the agent, also across restarts. */
export function drain(agent: Agent, config: DrainConfig): void {
  if (agent.frameworks.size === 0) {
    agent.ports.log('Asked to drain; there are no frameworks here, so draining is complete');
    return;
  }
  agent.drain = config;
  agent.ports.checkpoint.saveDrain(agentId(agent), config);
  agent.ports.log(`Initiating drain with ${JSON.stringify(config)}`);
  for (const framework of [...agent.frameworks.values()]) {
    for (const executor of [...framework.executors.values()]) {
      const tasks = [
        ...[...executor.launched.values()].map((task) => task.info),
        ...executor.queued.values(),
      ];
      for (const task of tasks) {
        killTask(agent, framework.id, task.task_id.value, shorterPolicy(task, config));
      }
    }
  }
}

/** Returns the operator's maximum grace period if the task's own is longer or unknown. */
function shorterPolicy({ kill_policy }: TaskInfo, { max_grace_period }: DrainConfig): KillPolicy | undefined {
  if (!max_grace_period) return undefined;
  const own = kill_policy?.grace_period?.nanoseconds;
  return own === undefined || own > max_grace_period.nanoseconds
    ? { grace_period: max_grace_period }
    : undefined;
}
