/** The updates an executor sends. */

import type { TaskState, TaskStatus } from '../../mesos/types.ts';
import type { Constants, Kill, Stamp, Task } from './executor-state.ts';
import { limitsOf } from './task-plan.ts';

export interface Outcome {
  state: TaskState;
  message?: string;
  /** A reason of Mesos' own, `REASON_…`. */
  reason?: string;
  healthy?: boolean;
}

/** How a task ends whose container has. */
export function exitOutcome(task: Task, exitCode: number, outOfMemory: boolean): Outcome {
  const message = `Container exited with status ${exitCode}`;
  if (task.kill) return killedOutcome(task.kill, `${message} after it was told to stop`);
  if (exitCode === 0) return { state: 'TASK_FINISHED', message };
  if (!outOfMemory) return { state: 'TASK_FAILED', reason: 'REASON_COMMAND_EXECUTOR_FAILED', message };
  const bytes = task.info && limitsOf(task.info).memoryBytes;
  const limit = bytes === undefined ? '' : ` (limit ${Math.round(bytes / 1024 / 1024)} MiB)`;
  const reason = 'REASON_CONTAINER_LIMITATION_MEMORY';
  return { state: 'TASK_FAILED', reason, message: `${message}, killed: out of memory${limit}` };
}

/**
 * How a task ends that was killed. One killed for its health is TASK_KILLED too, and not healthy, and without a reason,
 * as Mesos' own executors have it (`killedByHealthCheck` in src/launcher/executor.cpp and src/docker/executor.cpp).
 */
export function killedOutcome({ unhealthy }: Kill, message: string): Outcome {
  if (unhealthy === undefined) return { state: 'TASK_KILLED', message };
  return { state: 'TASK_KILLED', message: `${unhealthy}. ${message}`, healthy: false };
}

export function makeUpdate(task: Task, outcome: Outcome, constants: Constants, stamp: Stamp): TaskStatus {
  const { state, message, reason, healthy } = outcome;
  // The latest TASK_RUNNING is all that reconciliation tells, so each says where the task is.
  const addresses = state === 'TASK_RUNNING' ? task.addresses : [];
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
    ...(healthy !== undefined && { healthy }),
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
