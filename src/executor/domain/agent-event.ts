/** The agent's events as inputs of the life cycle. */

import type { ExecutorEvent } from '../../mesos/types.ts';
import type { ExecutorInput } from './executor-state.ts';
import type { PolicyReading } from './policy.ts';

/**
 * @param readPolicy reads the agent's policy, for a launch
 * @returns undefined for an event that changes no task
 */
export function inputOf(event: ExecutorEvent, readPolicy: () => PolicyReading): ExecutorInput | undefined {
  switch (event.type) {
    case 'SUBSCRIBED': {
      const { capabilities = [] } = event.subscribed.framework_info;
      return { type: 'subscribed', capabilities: capabilities.map((c) => c.type) };
    }
    case 'LAUNCH':
      return { type: 'launch', task: event.launch.task, policy: readPolicy() };
    case 'KILL': {
      const nanoseconds = event.kill.kill_policy?.grace_period?.nanoseconds;
      const graceMs = nanoseconds === undefined ? undefined : nanoseconds / 1e6;
      return { type: 'kill', taskId: event.kill.task_id.value, graceMs };
    }
    case 'ACKNOWLEDGED':
      return {
        type: 'acknowledged',
        taskId: event.acknowledged.task_id.value,
        uuid: event.acknowledged.uuid,
      };
    default:
      return undefined;
  }
}
