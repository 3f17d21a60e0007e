/** Counters behind `/metrics/snapshot`. */

import type { TaskState } from '../../mesos/types.ts';

export class Metrics {
  readonly #counters = new Map<string, number>();

  count(name: string, by = 1): void {
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + by);
  }

  get(name: string): number {
    return this.#counters.get(name) ?? 0;
  }

  /** Counts a task that ended or was refused, by its state. */
  countEnd(state: TaskState, source: string, reason: string | undefined): void {
    const name = state.slice('TASK_'.length).toLowerCase();
    this.count(`master/tasks_${name}`);
    if (reason !== undefined) {
      this.count(`master/task_${name}/${source.toLowerCase()}/${reason.toLowerCase()}`);
    }
  }

  entries(): Iterable<[string, number]> {
    return this.#counters;
  }
}
