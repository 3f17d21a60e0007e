/** Backs up the state of a running or stopped scheduler. */

import { link, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { childPath } from '../../zookeeper/address.ts';
import { readJournalEvents } from '../store/journal.ts';
import { StoreError } from '../store/store.ts';
import { readZooKeeperEvents } from '../store/zookeeper-read.ts';
import { compactEvents } from './contents.ts';
import { type Backup, createBackup, encodeBackup } from './format.ts';
import { type Place, showPlace, withSession } from './place.ts';

/**
 * Reads the state as it is stored at this moment.
 * @param at the current time, as ISO 8601
 * @throws StoreError
 */
export async function takeBackup(place: Place, at: string): Promise<Backup> {
  const stored =
    'directory' in place
      ? await readJournalEvents(place.directory)
      : await withSession(place.zooKeeper, (session) =>
          readZooKeeperEvents(session, childPath(place.zooKeeper.path, 'state')),
        );
  if (stored.length === 0) throw new StoreError(`${showPlace(place)} contains no apps and no tasks yet`);
  const { events, summary } = compactEvents(stored);
  return createBackup({ at, from: showPlace(place), ...summary }, events);
}

/**
 * Writes the file completely or not at all. Only its owner can read it, since apps may hold secrets.
 * @throws MesosupError if the file exists or can't be written
 */
export async function writeBackup(backup: Backup, file: string): Promise<void> {
  const draft = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`);
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      for (const piece of encodeBackup(backup)) await handle.writeFile(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new MesosupError(`${file} already exists: choose another file name`);
    throw new MesosupError(`${file} can't be written: ${message}`);
  } finally {
    await rm(draft, { force: true });
  }
}
