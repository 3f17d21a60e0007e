/** Tracks the stored updates of each task, to check that each update is stored before it is acknowledged. */

import { isTerminal, type TaskState, type TaskStatus } from '../mesos/types.ts';
import type { StoredEvent } from '../scheduler/domain/events.ts';

const ORDER: readonly TaskState[] = ['TASK_STAGING', 'TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING'];

interface Known {
  /** Index of the latest state in ORDER. */
  rank: number;
  readonly seen: Set<string>;
  ended: boolean;
}

export class Acknowledged {
  /** By task id, since the launch. */
  readonly #tasks = new Map<string, Known>();

  recordStored(events: readonly StoredEvent[]): void {
    for (const event of events) {
      if (event.type === 'task_launched') {
        this.#tasks.set(event.task.id, { rank: 0, seen: new Set(), ended: false });
      }
      if (event.type !== 'task_updated') continue;
      const known = this.#tasks.get(event.taskId);
      if (!known) continue;
      known.rank = Math.max(known.rank, ORDER.indexOf(event.state));
      known.seen.add(keyOf(event));
      known.ended ||= isTerminal(event.state);
    }
  }

  /**
   * Checks an acknowledgement. Nothing need be stored of tasks that were never launched here or have ended, nor of
   * updates with an earlier state than the stored one.
   * @returns the problem with acknowledging the update now
   */
  findProblem(status: TaskStatus): string | undefined {
    const known = this.#tasks.get(status.task_id.value);
    if (!known || known.ended || known.seen.has(keyOf(status))) return undefined;
    const rank = ORDER.indexOf(status.state);
    if (rank >= 0 && rank < known.rank) return undefined;
    return `${status.state} of ${status.task_id.value} was acknowledged before it was stored`;
  }
}

function keyOf({ state, healthy }: { readonly state: TaskState; readonly healthy?: boolean }): string {
  return healthy === undefined ? state : `${state} ${healthy}`;
}
