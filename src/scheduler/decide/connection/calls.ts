import type { KillPolicy } from '../../../mesos/types.ts';
import type { Task } from '../../domain/task.ts';
import type { Call } from '../inputs.ts';

/** Tasks named in one RECONCILE, so that no call grows beyond some hundred kilobytes. */
const RECONCILED_AT_ONCE = 1000;

/** @param graceSeconds how long the task has to end by itself; without it, as long as its executor gives it */
export function kill(task: Pick<Task, 'id' | 'agentId'>, graceSeconds?: number): Call {
  const policy = graceSeconds !== undefined && { kill_policy: killPolicy(graceSeconds) };
  return {
    type: 'KILL',
    kill: { task_id: { value: task.id }, agent_id: { value: task.agentId }, ...policy },
  };
}

export function killPolicy(graceSeconds: number): KillPolicy {
  return { grace_period: { nanoseconds: Math.round(graceSeconds * 1e9) } };
}

/** Asks for the latest state of each of these tasks. */
export function reconcile(tasks: Iterable<Task>): Call[] {
  const calls: Call[] = [];
  let batch: { task_id: { value: string }; agent_id: { value: string } }[] = [];
  for (const task of tasks) {
    batch.push({ task_id: { value: task.id }, agent_id: { value: task.agentId } });
    if (batch.length < RECONCILED_AT_ONCE) continue;
    calls.push({ type: 'RECONCILE', reconcile: { tasks: batch } });
    batch = [];
  }
  if (batch.length > 0) calls.push({ type: 'RECONCILE', reconcile: { tasks: batch } });
  return calls;
}

/** Asks for all tasks the master knows of. */
export const RECONCILE_ALL: Call = { type: 'RECONCILE', reconcile: { tasks: [] } };

export function decline(offerIds: readonly { value: string }[], refuse_seconds: number): Call {
  return { type: 'DECLINE', decline: { offer_ids: [...offerIds], filters: { refuse_seconds } } };
}
