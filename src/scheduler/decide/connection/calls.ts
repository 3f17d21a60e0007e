import type { KillPolicy } from '../../../mesos/types.ts';
import { operationId, type Reservation } from '../../domain/reservation.ts';
import type { Task } from '../../domain/task.ts';
import type { Call } from '../inputs.ts';

/** Maximum number of tasks in one RECONCILE, so that a call stays below some hundred kilobytes. */
const RECONCILED_AT_ONCE = 1000;

/** @param graceSeconds time in which the task may end by itself; the executor's default if omitted */
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

/** Requests the latest state of these tasks. */
export function reconcile(tasks: Iterable<Pick<Task, 'id' | 'agentId'>>): Call[] {
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

/** Requests the state of the operations that are to make reservations and volumes. */
export function reconcileOperations(reservations: Iterable<Reservation>): Call[] {
  const operations = [...reservations].flatMap(({ id, agentId }) =>
    (['reserve', 'create'] as const).map((name) => ({
      operation_id: { value: operationId(name, id) },
      agent_id: { value: agentId },
    })),
  );
  return operations.length > 0
    ? [{ type: 'RECONCILE_OPERATIONS', reconcile_operations: { operations } }]
    : [];
}

/** Requests the state of all tasks that the master knows. */
export const RECONCILE_ALL: Call = { type: 'RECONCILE', reconcile: { tasks: [] } };

export function decline(offerIds: readonly { value: string }[], refuse_seconds: number): Call {
  return { type: 'DECLINE', decline: { offer_ids: [...offerIds], filters: { refuse_seconds } } };
}
