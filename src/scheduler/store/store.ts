import { MesosupError } from '../../errors/mesosup-error.ts';
import type { StoredEvent } from '../domain/events.ts';

/**
 * Of the heads of journal, ZooKeeper and backups. Releases read one version alone, so a change of it can't be undone:
 * events change their form by their codecs instead (see stored-events.ts).
 */
export const STATE_VERSION = 2;

/** Where the scheduler's state outlives it. One process uses a store at a time. */
export interface Store {
  /** All events in the order they were appended, or the snapshot that stands for the first of them and the rest. */
  load(): Promise<StoredEvent[]>;
  /** Resolves once the events would survive a crash of the machine; they are stored all or none. */
  append(events: readonly StoredEvent[]): Promise<void>;
  /** True when enough has been appended for a snapshot to pay. */
  snapshotDue(): boolean;
  /** Puts these in the place of all events so far, all or none. */
  snapshot(events: Iterable<StoredEvent>): Promise<void>;
  close(): Promise<void>;
}

/** The store can't be used; the message says where it is and what to do. */
export class StoreError extends MesosupError {
  override name = 'StoreError';
}
