import { MesosupError } from '../../errors/mesosup-error.ts';
import type { StoredEvent } from '../domain/events.ts';

/**
 * The version in the heads of journal, ZooKeeper and backups. A release reads a single version, so there is no way back
 * after a change. Change the codecs of events instead (see stored-events.ts).
 */
export const STATE_VERSION = 2;

/** Stores the scheduler's state durably. Only one process uses a store at a time. */
export interface Store {
  /** Loads all events in order, beginning with the last snapshot, if any. */
  load(): Promise<StoredEvent[]>;
  /** Resolves once the events would survive a crash of the machine. Stores all of them or none. */
  append(events: readonly StoredEvent[]): Promise<void>;
  /** True if a snapshot is worthwhile. */
  snapshotDue(): boolean;
  /** Replaces all events so far with these, or fails without a change. */
  snapshot(events: Iterable<StoredEvent>): Promise<void>;
  /** Loads what was last saved about sessions (sign-in/session.ts). Earlier releases ignore it, and backups lack it. */
  loadSessions(): Promise<string | undefined>;
  /** Replaces what is stored about sessions, all or nothing. At most one call at a time. */
  saveSessions(text: string): Promise<void>;
  close(): Promise<void>;
}

/** The store can't be used; the message says where it is and what to do. */
export class StoreError extends MesosupError {
  override name = 'StoreError';
}
