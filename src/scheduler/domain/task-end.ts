import type { TaskState } from '../../mesos/types.ts';

/** States that say that a task is gone, but not that its app failed. */
const GONE: ReadonlySet<TaskState> = new Set(['TASK_GONE', 'TASK_GONE_BY_OPERATOR', 'TASK_UNKNOWN']);

/** Reasons for failed launches that are not the app's fault. */
const CLUSTER_REASONS: ReadonlySet<string> = new Set([
  'REASON_INVALID_OFFERS',
  'REASON_EXECUTOR_TERMINATED',
  'REASON_RECONCILIATION',
  'REASON_MASTER_DISCONNECTED',
  'REASON_AGENT_DISCONNECTED',
  'REASON_AGENT_REMOVED',
  'REASON_AGENT_RESTARTED',
  'REASON_AGENT_UNKNOWN',
]);

/** True if the cluster caused the end of a task: the task is replaced without a launch delay. */
export function isClusterFailure(state: TaskState, reason: string | undefined): boolean {
  if (GONE.has(state)) return true;
  if (state !== 'TASK_DROPPED' && state !== 'TASK_LOST') return false;
  return reason !== undefined && CLUSTER_REASONS.has(reason);
}
