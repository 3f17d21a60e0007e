/** The contract of all stores; runs for each store whose backend is available. */

import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../src/scheduler/domain/events.ts';
import { loadAll, type Store, StoreError } from '../../src/scheduler/store/store.ts';

export interface Medium {
  /** Opens the same store again. Its snapshots are due after a few events. */
  open(): Promise<Store>;
  /** Whether a second instance is refused while the first is open, or takes over from it; absent for neither. */
  sharing?: 'refused' | 'taken over';
  /** Reads the store while it is open elsewhere; absent if that is impossible. */
  readBeside?(): Promise<StoredEvent[]>;
  /**
   * Opens the store so that its process dies at the write with that number, from 0: just before or just after it.
   * Absent if only a test of the store itself can do that.
   */
  openDying?(write: number, when: 'before' | 'after'): Promise<Store>;
}

export function removed(at: number): StoredEvent {
  return { type: 'app_removed', appId: 'ä', at };
}

/** Creates a number of events. */
function several(from: number, count: number): StoredEvent[] {
  return Array.from({ length: count }, (_, i) => removed(from + i));
}

async function loaded(medium: Medium): Promise<StoredEvent[]> {
  const store = await medium.open();
  const events = await loadAll(store);
  await store.close();
  return events;
}

/** The steps in the life of a store, with the expected content after each step. */
const LIFE: { act: (store: Store) => Promise<void>; left: StoredEvent[] }[] = [
  { act: (store) => store.append([removed(1)]), left: [removed(1)] },
  { act: (store) => store.append(several(2, 60)), left: several(1, 61) },
  { act: (store) => store.snapshot(several(100, 70)), left: several(100, 70) },
  { act: (store) => store.append([removed(170)]), left: several(100, 71) },
  { act: (store) => store.snapshot([removed(7)]), left: [removed(7)] },
  { act: (store) => store.append([removed(8)]), left: several(7, 2) },
];

/** Called for each test; returns an unused store. */
export function describeStore(name: string, fresh: () => Medium): void {
  const { sharing, readBeside, openDying } = fresh();

  describe(`the ${name} store`, () => {
    it('is empty at first', async () => {
      expect(await loaded(fresh())).toEqual([]);
    });

    it('loads the appended events in order', async () => {
      const medium = fresh();
      const store = await medium.open();
      await store.append([removed(1), removed(2)]);
      await store.append([removed(3)]);
      await store.close();
      const again = await medium.open();
      expect(await loadAll(again)).toEqual(several(1, 3));
      await again.append([removed(4)]);
      await again.close();
      expect(await loaded(medium)).toEqual(several(1, 4));
    });

    it('replaces the events before by a snapshot', async () => {
      const medium = fresh();
      const store = await medium.open();
      for (let i = 0; i < 9; i += 1) await store.append([removed(i)]);
      expect(store.snapshotDue()).toBe(true);
      await store.snapshot([removed(100), removed(101)]);
      expect(store.snapshotDue()).toBe(false);
      await store.append([removed(102)]);
      await store.close();
      expect(await loaded(medium)).toEqual(several(100, 3));
    });

    it('keeps what is appended while a snapshot is written', async () => {
      const medium = fresh();
      const store = await medium.open();
      await store.append(several(0, 10));
      // Not yet written when the snapshot, which replaces it, begins.
      const before = store.append([removed(10)]);
      const snapshot = store.snapshot(several(500, 3000));
      for (let i = 0; i < 5; i += 1) {
        await store.append([removed(4000 + i)]);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const last = store.append([removed(4005)]);
      await Promise.all([before, snapshot, last]);
      await store.append([removed(4006)]);
      await store.close();
      expect(await loaded(medium)).toEqual([...several(500, 3000), ...several(4000, 7)]);
    });

    it('accepts batches and snapshots of any size, including empty ones', async () => {
      const medium = fresh();
      const store = await medium.open();
      const many = several(0, 3000);
      await store.append(many);
      await store.append([removed(1)]);
      await store.close();
      expect(await loaded(medium)).toEqual([...many, removed(1)]);
      const again = await medium.open();
      await again.snapshot(many);
      await again.append(many);
      await again.close();
      expect(await loaded(medium)).toEqual([...many, ...many]);
      const third = await medium.open();
      await third.snapshot([]);
      await third.append([removed(2)]);
      await third.close();
      expect(await loaded(medium)).toEqual([removed(2)]);
    });

    it('does not share appended objects', async () => {
      const medium = fresh();
      const store = await medium.open();
      const event = { type: 'app_removed' as const, appId: 'a', at: 1 };
      await store.append([event]);
      event.at = 2;
      await store.close();
      expect(await loaded(medium)).toMatchObject([{ at: 1 }]);
    });

    it('keeps the sessions beside the events', async () => {
      const medium = fresh();
      const store = await medium.open();
      expect(await store.loadSessions()).toBeUndefined();
      await store.append([removed(1)]);
      await store.saveSessions('first');
      await store.saveSessions('second ä');
      await store.snapshot([removed(2)]);
      await store.close();
      const again = await medium.open();
      expect([await loadAll(again), await again.loadSessions()]).toEqual([[removed(2)], 'second ä']);
      await again.saveSessions('third');
      expect(await again.loadSessions()).toBe('third');
      await again.close();
      expect(await loaded(medium)).toEqual([removed(2)]);
    });

    // Tests for optional features of a store.
    if (sharing)
      it('has a single writer', async () => {
        const medium = fresh();
        const first = await medium.open();
        await first.append([removed(1)]);
        if (sharing === 'refused') {
          await expect(medium.open()).rejects.toThrow(StoreError);
          await first.append([removed(2)]);
          await first.close();
          expect(await loaded(medium)).toEqual(several(1, 2));
          return;
        }
        const second = await medium.open();
        expect(await loadAll(second)).toEqual([removed(1)]);
        await expect(first.append([removed(9)])).rejects.toThrow(/another scheduler has taken over/);
        await expect(first.append(several(0, 100))).rejects.toThrow(StoreError);
        await expect(first.snapshot([removed(9)])).rejects.toThrow(StoreError);
        await expect(first.saveSessions('x')).rejects.toThrow(StoreError);
        await second.append([removed(2)]);
        await expect(first.snapshot([])).rejects.toThrow(StoreError);
        expect(await loaded(medium)).toEqual(several(1, 2));
      });

    if (readBeside)
      it('is read consistently while another process writes', async () => {
        const medium = fresh();
        const store = await medium.open();
        let [begun, done, over] = [0, 0, false];
        const write = async () => {
          for (let i = 0; i < 40; i += 1) {
            begun += 3;
            await store.append(several(done, 3));
            done = begun;
            // The same state in new files or znodes; the old ones are removed.
            if (i % 3 === 0) await store.snapshot(several(0, done));
          }
          over = true;
        };
        const read = async () => {
          let reads = 0;
          do {
            const least = done;
            const found = await medium.readBeside?.();
            expect(found).toEqual(several(0, found?.length ?? -1));
            expect(found?.length).toBeGreaterThanOrEqual(least);
            expect(found?.length).toBeLessThanOrEqual(begun);
            reads += 1;
          } while (!over);
          return reads;
        };
        const [, reads] = await Promise.all([write(), read()]);
        expect(reads).toBeGreaterThan(2);
        await store.append(several(done, 1));
        await store.close();
        expect(await loaded(medium)).toEqual(several(0, done + 1));
      });

    if (openDying)
      it.each(['before', 'after'] as const)(
        'has all or nothing of an operation whose process died just %s a write',
        async (when) => {
          let completed = 0;
          for (let write = 0; completed < LIFE.length; write += 1) {
            const medium = fresh();
            completed = 0;
            try {
              const store = await medium.openDying?.(write, when);
              for (const { act } of LIFE) {
                if (store) await act(store);
                completed += 1;
              }
            } catch (error) {
              expect(error).toBeInstanceOf(StoreError);
            }
            const possible = [LIFE[completed - 1]?.left ?? [], LIFE[completed]?.left ?? []];
            const store = await medium.open();
            const found = await loadAll(store);
            expect(possible).toContainEqual(found);
            await store.append([removed(1000)]);
            await store.snapshot([...found, removed(1000), removed(1001)]);
            expect(await loaded(medium)).toEqual([...found, removed(1000), removed(1001)]);
          }
        },
      );
  });
}
