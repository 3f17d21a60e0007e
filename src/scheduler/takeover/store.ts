/** Writes the state of a takeover into the store of a stopped scheduler. */

import { summarizeEvents } from '../backup/contents.ts';
import { type Place, showPlace } from '../backup/place.ts';
import { withStore } from '../backup/restore.ts';
import { summaryText } from '../backup/summary-text.ts';
import type { StoredEvent } from '../domain/events.ts';
import { loadAll, StoreError } from '../store/store.ts';

/**
 * Holds the store, so that no scheduler can start with it, while `work` determines its new content; then writes that
 * completely or not at all. A failure leaves the store as it was.
 * @throws StoreError if a scheduler uses the store, or if the store has apps or tasks, or a framework that was taken over
 */
export async function fillStore(
  place: Place,
  warn: (message: string) => void,
  work: () => Promise<readonly StoredEvent[]>,
): Promise<void> {
  await withStore(place, warn, async (store) => {
    refuseUnlessUnused(place, await loadAll(store));
    await store.snapshot(await work());
  });
}

/** @throws StoreError like `fillStore` */
export async function checkStore(place: Place, warn: (message: string) => void): Promise<void> {
  await withStore(place, warn, async (store) => refuseUnlessUnused(place, await loadAll(store)));
}

/** A scheduler that has started and has no app yet may have registered a framework, which is given up. */
function refuseUnlessUnused(place: Place, events: readonly StoredEvent[]): void {
  const found = summarizeEvents(events);
  const takenOver = events.findLast((event) => event.type === 'framework_registered');
  if (takenOver?.type === 'framework_registered' && takenOver.identity) {
    throw new StoreError(
      `${showPlace(place)} holds the state of a takeover already: ${summaryText(found)}. Start the scheduler with it`,
    );
  }
  if (found.apps + found.tasks + found.deployments === 0) return;
  throw new StoreError(
    `${showPlace(place)} is not empty: it holds ${summaryText(found)}. Take Marathon over with a new scheduler: choose another --data-dir or --zk`,
  );
}
