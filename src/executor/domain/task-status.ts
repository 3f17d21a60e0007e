/** Builds the status updates that the executor sends. */

import type { Labels, NetworkInfo, TaskState, TaskStatus } from '../../mesos/types.ts';
import type { Constants, ContainerExit, Kill, Stamp, Task } from './executor-state.ts';
import { exitText } from './exit-text.ts';
import { limitsOf } from './task-plan.ts';

export interface Outcome {
  state: TaskState;
  message?: string;
  /** One of Mesos' reasons, `REASON_…`. */
  reason?: string;
  healthy?: boolean;
}

/** Derives the outcome of a task whose container has ended. The message says why, for the framework's users. */
export function exitOutcome(task: Task, exit: ContainerExit): Outcome {
  const { exitCode, lastLines } = exit;
  const removed = exit.isRemoved && exitCode !== 0 ? ' and was removed by another program' : '';
  const message = `${exitText(exitCode)}${removed}`;
  const end = lastLines === '' ? '' : `. Last lines of stderr:\n${lastLines}`;
  if (task.kill) {
    const stopped = `${message} after a stop request`;
    return killedOutcome(task.kill, task.kill.unhealthy === undefined ? stopped : `${stopped}${end}`);
  }
  if (exitCode === 0) return { state: 'TASK_FINISHED', message };
  if (!exit.outOfMemory) {
    return { state: 'TASK_FAILED', reason: 'REASON_COMMAND_EXECUTOR_FAILED', message: `${message}${end}` };
  }
  const bytes = task.info && limitsOf(task.info).memoryBytes;
  const limit = bytes === undefined ? '' : ` (limit ${Math.round(bytes / 1024 / 1024)} MiB)`;
  const reason = 'REASON_CONTAINER_LIMITATION_MEMORY';
  return { state: 'TASK_FAILED', reason, message: `${message}, killed: out of memory${limit}${end}` };
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

/** Derives the outcome of a task that can't be launched as it is described. */
export function invalidOutcome(message: string): Outcome {
  return { state: 'TASK_ERROR', reason: 'REASON_TASK_INVALID', message };
}

export function makeUpdate(task: Task, outcome: Outcome, constants: Constants, stamp: Stamp): TaskStatus {
  const { state, message, reason, healthy } = outcome;
  // Reconciliation sends only the latest TASK_RUNNING, so each one carries the networks.
  const networks = state === 'TASK_RUNNING' ? task.networks : [];
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
    ...(networks.length > 0 && { container_status: { network_infos: [...networks] } }),
    ...(task.container !== undefined && { labels: labelsOf(task.container, networks) }),
  };
}

/** The labels of a status: the container's id, and for TASK_RUNNING its networks and published ports. */
function labelsOf(container: string, networks: readonly NetworkInfo[]): Labels {
  const names = networks.flatMap(({ name }) => name ?? []);
  const ports = networks
    .flatMap(({ port_mappings }) => port_mappings ?? [])
    .map(({ host_port, container_port, protocol }) => `${host_port}:${container_port}/${protocol ?? 'tcp'}`);
  return {
    labels: [
      { key: 'mesosup.container', value: container },
      ...(names.length > 0 ? [{ key: 'mesosup.networks', value: names.join(',') }] : []),
      ...(ports.length > 0 ? [{ key: 'mesosup.ports', value: ports.join(',') }] : []),
    ],
  };
}
