/**
 * Remembers which images the executors of this agent pulled, and when they were last used: a file for each image, since
 * several executors and the janitor write at the same time. A file is renamed while its image is removed, so that a task
 * that is launched meanwhile waits and then pulls the image again.
 */

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isJson, parseJson } from '../json.ts';
import { RELEASE } from '../release.ts';
import type { PulledImage } from './domain/image-clean-up.ts';
import type { Log } from './log.ts';

const FORMAT = 1;
const RECORD = '.json';
const REMOVING = '.removing';
/** A removal that takes longer has been interrupted. */
const REMOVAL_MS = 120_000;
const POLL_MS = 100;

/**
 * @param stateDirectory the installed wrapper sets it (`MESOSUP_EXECUTOR_STATE`)
 * @returns undefined without a directory, as in the demo: images are not recorded, and never removed
 */
export function imageRecordsIn(stateDirectory: string | undefined, log: Log): ImageRecords | undefined {
  return stateDirectory ? new ImageRecords(path.join(stateDirectory, 'images'), log) : undefined;
}

export class ImageRecords {
  readonly #directory: string;
  readonly #log: Log;

  /** @param directory created when it is needed; only root may write there */
  constructor(directory: string, log: Log) {
    this.#directory = directory;
    this.#log = log;
  }

  has(image: string): boolean {
    return this.#read(this.#file(image, RECORD)) !== undefined;
  }

  /** Notes that a task needs the image. Resolves when no removal of the image is under way. Never throws. */
  async use(image: string): Promise<void> {
    const known = this.#read(this.#file(image, RECORD));
    if (known) this.#write({ ...known, lastUsed: Date.now() });
    while (this.#ageOf(this.#file(image, REMOVING)) < REMOVAL_MS) await sleep(POLL_MS);
  }

  /** Notes a pull before it begins. Never throws. */
  pulling(image: string): void {
    const id = this.#read(this.#file(image, RECORD))?.id;
    this.#write({ image, id, lastUsed: Date.now() });
  }

  /** Notes a pull that is complete. Never throws. */
  pulled(image: string, id: string): void {
    const before = this.#read(this.#file(image, RECORD));
    if (before && before.id !== id) this.loseName(before);
    this.#write({ image, id, lastUsed: Date.now() });
  }

  /** Notes that the name no longer belongs to the image, which is remembered by its id. Never throws. */
  loseName({ image, id, lastUsed }: PulledImage): void {
    if (id !== undefined && id !== image) this.#write({ image: id, id, lastUsed });
  }

  /** Notes that a container has the image, at most once an hour. Never throws. */
  keep(known: PulledImage, now: number): void {
    if (now - known.lastUsed > 3_600_000) this.#write({ ...known, lastUsed: now });
  }

  /** Reads all records. Those of interrupted removals are restored; unreadable ones are left alone. */
  list(): PulledImage[] {
    let names: string[];
    try {
      names = readdirSync(this.#directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    for (const name of names.filter((one) => one.endsWith(REMOVING))) {
      const file = path.join(this.#directory, name);
      if (this.#ageOf(file) < REMOVAL_MS) continue;
      restore(file);
      names.push(name.replace(REMOVING, RECORD));
    }
    const records = [...new Set(names)].filter((name) => name.endsWith(RECORD));
    return records.flatMap((name) => this.#read(path.join(this.#directory, name)) ?? []);
  }

  /** @returns false if a task has used the image since `known` was read */
  beginRemoval(known: PulledImage): boolean {
    const file = this.#file(known.image, REMOVING);
    try {
      renameSync(this.#file(known.image, RECORD), file);
    } catch {
      return false;
    }
    if (this.#read(file)?.lastUsed === known.lastUsed) return true;
    restore(file);
    return false;
  }

  /** @param gone false if the image could not be removed */
  endRemoval({ image }: PulledImage, gone: boolean): void {
    const file = this.#file(image, REMOVING);
    if (gone) rmSync(file, { force: true });
    else restore(file);
  }

  #file(image: string, ending: string): string {
    return path.join(this.#directory, `${createHash('sha256').update(image).digest('hex')}${ending}`);
  }

  /** @returns undefined for a record that is missing, damaged, or of a later release */
  #read(file: string): PulledImage | undefined {
    let record: unknown;
    try {
      record = parseJson(readFileSync(file, 'utf8'));
    } catch {
      return undefined;
    }
    if (!isJson(record) || record.format !== FORMAT) return undefined;
    const { image, id, lastUsed } = record;
    const hasId = id === undefined || typeof id === 'string';
    if (typeof image !== 'string' || !hasId || typeof lastUsed !== 'number') return undefined;
    return { image, id, lastUsed };
  }

  /** Without a record, the image is never removed. */
  #write(record: PulledImage): void {
    const file = this.#file(record.image, RECORD);
    const temporary = `${file}.${process.pid}`;
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      writeFileSync(temporary, JSON.stringify({ format: FORMAT, release: RELEASE, ...record }), {
        mode: 0o600,
      });
      renameSync(temporary, file);
    } catch (error) {
      removeQuietly(temporary);
      this.#log({
        level: 'warning',
        msg: 'cannot note the use of an image',
        image: record.image,
        reason: String(error),
      });
    }
  }

  /** Infinite for a missing file. */
  #ageOf(file: string): number {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat ? Date.now() - stat.ctimeMs : Number.POSITIVE_INFINITY;
  }
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The error before this one is logged.
  }
}

/** Gives the record its name back, unless there is a newer one. */
function restore(removing: string): void {
  const file = removing.replace(REMOVING, RECORD);
  if (statSync(file, { throwIfNoEntry: false })) rmSync(removing, { force: true });
  else renameSync(removing, file);
}
