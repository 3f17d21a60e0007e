import type { StoredEvent } from '../domain/events.ts';
import type { Store } from './store.ts';

const sessionsOf = new WeakMap<StoredEvent[], string>();

/** A store in memory, for tests. A second scheduler with the same `disk` array finds the same state. */
export function createMemoryStore(disk: StoredEvent[] = [], snapshotEvery = Infinity): Store {
  let appended = 0;
  return {
    async *load() {
      yield structuredClone(disk);
    },
    append: async (events) => {
      disk.push(...structuredClone([...events]));
      appended += events.length;
    },
    snapshotDue: () => appended >= snapshotEvery,
    snapshot: async (events) => {
      disk.splice(0, disk.length, ...structuredClone([...events]));
      appended = 0;
    },
    loadSessions: async () => sessionsOf.get(disk),
    saveSessions: async (text) => {
      sessionsOf.set(disk, text);
    },
    close: async () => {},
  };
}
