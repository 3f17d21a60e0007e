/** What the disk has of each task's updates: an update is to be there before it is acknowledged. */

import { isTerminal, type TaskState, type TaskStatus } from '../mesos/types.ts';
import type { StoredEvent } from '../scheduler/domain/events.ts';

const ORDER: readonly TaskState[] = ['TASK_STAGING', 'TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING'];

interface Known {
  /** How far it has got. */
  rank: number;
  readonly seen: Set<string>;
  ended: boolean;
}

export class Acknowledged {
  /** By task, from its launch on. */
  readonly #tasks = new Map<string, Known>();

  stored(events: readonly StoredEvent[]): void {
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
   * Of a task that was never launched here, or has ended, nothing need be stored; nor of one that has got further than
   * what the update says.
   * @returns what is wrong with acknowledging the update now
   */
  problem(status: TaskStatus): string | undefined {
    const known = this.#tasks.get(status.task_id.value);
    if (!known || known.ended || known.seen.has(keyOf(status))) return undefined;
    const rank = ORDER.indexOf(status.state);
    if (rank >= 0 && rank < known.rank) return undefined;
    return `${status.state} of ${status.task_id.value} was acknowledged, not stored`;
  }
}

function keyOf({ state, healthy }: { readonly state: TaskState; readonly healthy?: boolean }): string {
  return healthy === undefined ? state : `${state} ${healthy}`;
}
