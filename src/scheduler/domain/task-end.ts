import type { TaskState } from '../../mesos/types.ts';

/** States that say that the task is not there, and nothing about why its app would have failed. */
const GONE: ReadonlySet<TaskState> = new Set(['TASK_GONE', 'TASK_GONE_BY_OPERATOR', 'TASK_UNKNOWN']);

/** Reasons for which a launch comes to nothing through no fault of the app. */
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

/** True for an end that is the cluster's doing: the task is placed again at once, without delay. */
export function isClusterFailure(state: TaskState, reason: string | undefined): boolean {
  if (GONE.has(state)) return true;
  if (state !== 'TASK_DROPPED' && state !== 'TASK_LOST') return false;
  return reason !== undefined && CLUSTER_REASONS.has(reason);
}
