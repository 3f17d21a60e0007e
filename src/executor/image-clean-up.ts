/** Removes images that executors of this agent pulled and no container uses. */

import { statfs } from 'node:fs/promises';
import { DockerError } from '../docker/connection.ts';
import type { DockerEngine } from '../docker/engine.ts';
import {
  type CleanUpSettings,
  isExpired,
  type PulledImage,
  removableImages,
} from './domain/image-clean-up.ts';
import type { ImageRecords } from './image-records.ts';
import type { Log } from './log.ts';

export interface CleanUpOptions {
  engine: DockerEngine;
  records: ImageRecords;
  settings: CleanUpSettings;
  /** Only logs what would be removed. */
  dryRun: boolean;
  /** In milliseconds since the epoch. */
  now: number;
  log: Log;
}

/**
 * Removes unused images once.
 * @returns the names of the removed images; in a dry run, the names of the images that would be removed
 * @throws DockerUnavailableError | DockerError if the containers can't be listed
 */
export async function removeUnusedImages(options: CleanUpOptions): Promise<string[]> {
  const { engine, records, settings, now } = options;
  const all = records.list();
  if (all.length === 0) return [];
  const inUse = new Set((await engine.listContainers({})).map(({ ImageID }) => ImageID));
  if (!options.dryRun) {
    for (const known of all) if (known.id !== undefined && inUse.has(known.id)) records.keep(known, now);
  }
  const cleaner = new Cleaner(options, (await engine.info()).DockerRootDir);
  for (const known of removableImages(all, inUse, settings, now)) {
    const days = Math.floor((now - known.lastUsed) / 86_400_000);
    if (isExpired(known, settings, now)) await cleaner.remove(known, `not used for ${days} days`);
    else if (await cleaner.isDiskFull()) {
      await cleaner.remove(known, `the disk is more than ${settings.maxDiskPercent}% full`);
    }
  }
  return cleaner.removed;
}

class Cleaner {
  readonly removed: string[] = [];
  readonly #options: CleanUpOptions;
  /** Docker's directory, whose disk is measured. */
  readonly #directory: string;
  /** Bytes that a dry run would have freed. */
  #freed = 0;

  constructor(options: CleanUpOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
  }

  /** As `df` computes it: without the blocks that are reserved for root. */
  async isDiskFull(): Promise<boolean> {
    const { log, settings } = this.#options;
    try {
      const { bsize, blocks, bfree, bavail } = await statfs(this.#directory);
      const used = (blocks - bfree) * bsize - this.#freed;
      const usable = (blocks - bfree + bavail) * bsize;
      return (100 * used) / usable > settings.maxDiskPercent;
    } catch (error) {
      log({ level: 'warning', msg: 'cannot measure the disk of Docker', reason: String(error) });
      return false;
    }
  }

  async remove(known: PulledImage, reason: string): Promise<void> {
    const { dryRun, engine, log, records } = this.#options;
    const { image } = known;
    const found = await engine.inspectImage(image);
    // The name may belong to another image by now, or the id have got a name.
    const isSame = found?.Id === known.id && (image !== known.id || (found?.RepoTags ?? []).length === 0);
    if (dryRun) {
      if (!found || !isSame) return;
      log({ msg: 'would remove an unused image', image, reason, bytes: found.Size });
      this.#freed += found.Size;
      this.removed.push(image);
      return;
    }
    if (!records.beginRemoval(known)) return;
    let gone = !found || !isSame;
    try {
      if (gone) {
        records.loseName(known);
        return;
      }
      await engine.removeImage(image);
      gone = true;
      log({ msg: 'removed an unused image', image, reason, bytes: found?.Size });
      this.removed.push(image);
    } catch (error) {
      if (!(error instanceof DockerError)) throw error;
      log({ level: 'warning', msg: 'cannot remove an unused image', image, reason: error.message });
    } finally {
      records.endRemoval(known, gone);
    }
  }
}
