/** Restores a backup into a store. */

import { mkdir, stat } from 'node:fs/promises';
import { childPath } from '../../zookeeper/address.ts';
import { listCandidates } from '../leadership.ts';
import { openJournal } from '../store/journal.ts';
import { loadAll, type Store, StoreError } from '../store/store.ts';
import { openZooKeeperStore } from '../store/zookeeper.ts';
import { removeFramework, summarizeEvents } from './contents.ts';
import type { Backup, Summary } from './format.ts';
import { type Place, showPlace, withSession } from './place.ts';
import { summaryText } from './summary-text.ts';

export interface RestoreOptions {
  /** Replaces an existing state. */
  readonly force: boolean;
  /** Restores apps and groups only, for a cluster that doesn't know the tasks. */
  readonly newFramework: boolean;
  readonly warn: (message: string) => void;
}

/**
 * Restores everything or nothing, so that it can be repeated.
 * @returns a summary of the restored state
 * @throws StoreError if a scheduler uses the store, or if it is not empty
 */
export async function restoreBackup(
  { events }: Backup,
  place: Place,
  options: RestoreOptions,
): Promise<Summary> {
  const restored = options.newFramework ? removeFramework(events) : events;
  const summary = summarizeEvents(restored);
  await withStore(place, options.warn, async (store) => {
    const before = await loadAll(store);
    if (before.length > 0 && !options.force) throw notEmptyError(place, summarizeEvents(before));
    await store.snapshot(restored);
  });
  return summary;
}

/**
 * Holds the store of a stopped scheduler during the work. A scheduler that is started meanwhile waits or fails; if it is
 * elected in ZooKeeper, all further writes of the work fail.
 * @throws StoreError if a scheduler uses the store
 */
export async function withStore<T>(
  place: Place,
  warn: (message: string) => void,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const use = async (store: Store): Promise<T> => {
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  };
  if ('directory' in place) {
    await dropPrivileges(place.directory);
    return use(await openJournal({ directory: place.directory, warn }));
  }
  const { zooKeeper } = place;
  return withSession(zooKeeper, async (session) => {
    const schedulers = await listCandidates(session, zooKeeper);
    if (schedulers.length > 0) {
      throw new StoreError(
        `${showPlace(place)} is in use by the scheduler at ${schedulers.join(' and the scheduler at ')}: stop all of them first (a killed scheduler counts for about ten more seconds)`,
      );
    }
    // A scheduler elected from here on raises the epoch.
    return use(await openZooKeeperStore({ session, path: childPath(zooKeeper.path, 'state'), warn }));
  });
}

function notEmptyError(place: Place, found: Summary): StoreError {
  return new StoreError(
    `${showPlace(place)} is not empty: it holds ${summaryText(found)}. With --force the backup replaces it, and tasks that are not in the backup are killed`,
  );
}

/** Continues as the owner of the directory: files that root writes would be unreadable for the scheduler's user. */
async function dropPrivileges(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { uid, gid } = await stat(directory);
  if (uid === 0 || process.getuid?.() !== 0) return;
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}
