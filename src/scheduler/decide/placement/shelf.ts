import { popHeap, pushHeap } from '../../domain/heap.ts';
import type { Check, Stage } from '../../domain/placement.ts';
import { type Bin, checkStages } from './bin.ts';
import { sum } from './pools.ts';
import type { Want } from './want.ts';

/** A bin, and the processors it had left when it was put here; it can only have fewer by now. */
export interface Shelved {
  readonly bin: Bin;
  readonly room: number;
}

/** The roomiest first, then in the order in which they were offered. */
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
 * The bins that may still do for apps of one shape. One that doesn't is taken away for good: it never gets more. So
 * no bin is tried in vain twice for the same wants, however many apps and tasks have them.
 */
export class Shelf {
  readonly want: Want;
  readonly #heap: Shelved[];
  readonly #mostTasks: number;
  /** Those taken away, by agent, and how many of them by the first stage that they didn't pass. */
  readonly #failed = new Map<string, Failed>();
  readonly refused = new Map<Stage, number>();

  constructor(want: Want, inOrder: readonly Shelved[], mostTasks: number) {
    this.want = want;
    this.#heap = [...inOrder];
    this.#mostTasks = mostTasks;
  }

  /** Takes the roomiest. */
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

  /** Whether no more tasks are to be launched with the offer, whatever room there is. */
  isFull({ tasks }: Bin): boolean {
    return tasks.length >= this.#mostTasks;
  }

  giveBack(bin: Bin): void {
    pushHeap(this.#heap, { bin, room: sum(bin.pools, 'cpus') }, isRoomier);
  }

  fail(bin: Bin, stage: Stage): void {
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

  /** What a bin that was taken away was looked at for; the same for all apps of the shape. */
  checks(agentId: string): readonly Check[] {
    const failed = this.#failed.get(agentId);
    if (!failed) return [];
    failed.checks ??= checkStages(failed.bin, this.want);
    return failed.checks;
  }
}
