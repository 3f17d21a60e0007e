import { popHeap, pushHeap } from '../../domain/heap.ts';
import type { Check, Stage } from '../../domain/placement.ts';
import { type Bin, checkStages } from './bin.ts';
import { sum } from './pools.ts';
import type { Want } from './want.ts';

/** A bin with its free CPUs at insertion; they can only have decreased since. */
export interface Shelved {
  readonly bin: Bin;
  readonly room: number;
}

/** Orders by free CPUs, then by position in the event. */
function isRoomier(a: Shelved, b: Shelved): boolean {
  return a.room > b.room || (a.room === b.room && a.bin.index < b.bin.index);
}

export function shelvedInOrder(bins: readonly Bin[]): Shelved[] {
  const shelved = bins.map((bin) => ({ bin, room: sum(bin.pools, 'cpus') }));
  return shelved.sort((a, b) => (isRoomier(a, b) ? -1 : 1));
}

interface Failed {
  readonly bin: Bin;
  checks?: readonly Check[];
}

/**
 * The bins that may still fit apps of one shape. A bin that does not fit is removed permanently, since its resources
 * never grow. So no bin fails twice for the same requirements, regardless of the number of apps and tasks.
 */
export class Shelf {
  readonly want: Want;
  readonly #heap: Shelved[];
  readonly #mostTasks: number;
  /** Removed bins by agent, and their number by the first failed stage. */
  readonly #failed = new Map<string, Failed>();
  readonly refused = new Map<Stage, number>();

  constructor(want: Want, inOrder: readonly Shelved[], mostTasks: number) {
    this.want = want;
    this.#heap = [...inOrder];
    this.#mostTasks = mostTasks;
  }

  /** Takes the bin with the most free CPUs. */
  take(): Bin | undefined {
    for (;;) {
      const first = popHeap(this.#heap, isRoomier);
      if (!first) return undefined;
      const { bin } = first;
      if (this.isFull(bin)) continue;
      const room = sum(bin.pools, 'cpus');
      if (room === first.room) return bin;
      pushHeap(this.#heap, { bin, room }, isRoomier);
    }
  }

  /** True if the offer has the maximum number of tasks. */
  isFull({ tasks }: Bin): boolean {
    return tasks.length >= this.#mostTasks;
  }

  giveBack(bin: Bin): void {
    pushHeap(this.#heap, { bin, room: sum(bin.pools, 'cpus') }, isRoomier);
  }

  removeFailed(bin: Bin, stage: Stage): void {
    this.refused.set(stage, (this.refused.get(stage) ?? 0) + 1);
    this.#failed.set(bin.offer.agent_id.value, { bin });
  }

  failedOn(agentId: string): Bin | undefined {
    return this.#failed.get(agentId)?.bin;
  }

  get failedCount(): number {
    return this.#failed.size;
  }

  failed(): Iterable<string> {
    return this.#failed.keys();
  }

  /** @returns the checks of a removed bin; they are the same for all apps of the shape */
  checks(agentId: string): readonly Check[] {
    const failed = this.#failed.get(agentId);
    if (!failed) return [];
    failed.checks ??= checkStages(failed.bin, this.want);
    return failed.checks;
  }
}
