import { MesosupError } from '../../errors/mesosup-error.ts';
import type { StoredEvent } from '../domain/events.ts';

/**
 * The version in the heads of journal, ZooKeeper and backups. A release reads a single version, so there is no way back
 * after a change. Change the codecs of events instead (see stored-events.ts).
 */
export const STATE_VERSION = 2;

/** Stores the scheduler's state durably. Only one process uses a store at a time. */
export interface Store {
  /**
   * Lists all events in order, beginning with the last snapshot, if any; a few at a time, so that a large state needs no
   * second copy in memory, and other work goes on. Once for each opened store, before the first write.
   */
  load(): AsyncIterable<readonly StoredEvent[]>;
  /** Resolves once the events would survive a crash of the machine. Stores all of them or none. */
  append(events: readonly StoredEvent[]): Promise<void>;
  /** True if a snapshot is worthwhile. */
  snapshotDue(): boolean;
  /**
   * Replaces all events that were appended before this call with these, or fails without a change. Takes them one after
   * the other with pauses; what is appended meanwhile is kept. At most one call at a time.
   */
  snapshot(events: Iterable<StoredEvent>): Promise<void>;
  /** Loads what was last saved about sessions (sign-in/session.ts). Earlier releases ignore it, and backups lack it. */
  loadSessions(): Promise<string | undefined>;
  /** Replaces what is stored about sessions, all or nothing. At most one call at a time. */
  saveSessions(text: string): Promise<void>;
  close(): Promise<void>;
}

/** @returns all events of a store at once */
export async function loadAll(store: Store): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for await (const events of store.load()) for (const event of events) all.push(event);
  return all;
}

/** The store can't be used; the message says where it is and what to do. */
export class StoreError extends MesosupError {
  override name = 'StoreError';
}
