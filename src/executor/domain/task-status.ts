/** Builds the status updates that the executor sends. */

import type { TaskState, TaskStatus } from '../../mesos/types.ts';
import type { Constants, Kill, Stamp, Task } from './executor-state.ts';
import { limitsOf } from './task-plan.ts';

export interface Outcome {
  state: TaskState;
  message?: string;
  /** One of Mesos' reasons, `REASON_…`. */
  reason?: string;
  healthy?: boolean;
}

/** Derives the outcome of a task whose container has ended. */
export function exitOutcome(task: Task, exitCode: number, outOfMemory: boolean): Outcome {
  const message = `Container exited with status ${exitCode}`;
  if (task.kill) return killedOutcome(task.kill, `${message} after a stop request`);
  if (exitCode === 0) return { state: 'TASK_FINISHED', message };
  if (!outOfMemory) return { state: 'TASK_FAILED', reason: 'REASON_COMMAND_EXECUTOR_FAILED', message };
  const bytes = task.info && limitsOf(task.info).memoryBytes;
  const limit = bytes === undefined ? '' : ` (limit ${Math.round(bytes / 1024 / 1024)} MiB)`;
  const reason = 'REASON_CONTAINER_LIMITATION_MEMORY';
  return { state: 'TASK_FAILED', reason, message: `${message}, killed: out of memory${limit}` };
}

/**
 * Derives the outcome of a killed task. A task killed for its health is also TASK_KILLED, with `healthy: false` and
 * without a reason, as in Mesos' own executors (`killedByHealthCheck` in src/launcher/executor.cpp and
 * src/docker/executor.cpp).
 */
export function killedOutcome({ unhealthy }: Kill, message: string): Outcome {
  if (unhealthy === undefined) return { state: 'TASK_KILLED', message };
  return { state: 'TASK_KILLED', message: `${unhealthy}. ${message}`, healthy: false };
}

export function makeUpdate(task: Task, outcome: Outcome, constants: Constants, stamp: Stamp): TaskStatus {
  const { state, message, reason, healthy } = outcome;
  // Reconciliation sends only the latest TASK_RUNNING, so each one carries the addresses.
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
