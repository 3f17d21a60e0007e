/** The updates an executor sends. */

import type { TaskState, TaskStatus } from '../../mesos/types.ts';
import type { Constants, Stamp, Task } from './state.ts';

export interface Outcome {
  state: TaskState;
  message?: string;
  /** A reason of Mesos' own, `REASON_…`. */
  reason?: string;
  /** The container's addresses on Docker's networks. */
  addresses?: readonly string[];
}

export function makeUpdate(task: Task, outcome: Outcome, constants: Constants, stamp: Stamp): TaskStatus {
  const { state, message, reason, addresses = [] } = outcome;
  return {
    task_id: { value: task.id },
    agent_id: { value: constants.agentId },
    executor_id: { value: constants.executorId },
    state,
    source: 'SOURCE_EXECUTOR',
    timestamp: stamp.now / 1000,
    uuid: stamp.uuid(),
    ...(message !== undefined && { message }),
    ...(reason !== undefined && { reason }),
    ...(addresses.length > 0 && {
      container_status: {
        network_infos: [
          {
            ip_addresses: addresses.map((ip_address) => ({
              protocol: ip_address.includes(':') ? 'IPv6' : 'IPv4',
              ip_address,
            })),
          },
        ],
      },
    }),
    ...(task.container !== undefined && {
      labels: { labels: [{ key: 'mesosup.container', value: task.container }] },
    }),
  };
}
