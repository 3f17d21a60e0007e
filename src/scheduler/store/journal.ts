/**
 * The store of a single scheduler: an append-only file of events. A snapshot is a new file that begins with the
 * shortest list of events for the same state; the file `journal.<number>` with the highest number is in force.
 */

import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { StoredEvent } from '../domain/events.ts';
import { describeHeadProblem, readEvents } from './formats.ts';
import { decodeFrames, encodeFrame } from './frames.ts';
import { lockDirectory } from './lock.ts';
import { STATE_VERSION, type Store, StoreError } from './store.ts';

const FORMAT = { format: 'mesosup-journal', version: STATE_VERSION };
/** Minimum growth before a snapshot; larger files are rewritten when they have doubled. */
const SNAPSHOT_BYTES = 4 << 20;
const EVENTS_PER_FRAME = 500;
/** Name of the file with the sessions of people in browsers. */
const SESSIONS = 'sessions';

export interface JournalOptions {
  directory: string;
  warn: (message: string) => void;
  /** Minimum growth between snapshots. */
  snapshotBytes?: number;
}

/** @throws StoreError if another process uses the directory, or a file is damaged */
export async function openJournal(options: JournalOptions): Promise<Store> {
  const { directory } = options;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const unlock = await lockDirectory(directory);
    try {
      return await Journal.open(options, unlock);
    } catch (error) {
      await unlock();
      throw error;
    }
  } catch (error) {
    if (error instanceof StoreError || !(error instanceof Error)) throw error;
    throw new StoreError(`${directory} can't hold the scheduler's state: ${error.message}`, { cause: error });
  }
}

/**
 * Reads the durable events of a directory without changing anything; a scheduler may use the directory meanwhile.
 * @throws StoreError if there is no state, or a file is damaged
 */
export async function readJournalEvents(directory: string): Promise<StoredEvent[]> {
  try {
    for (;;) {
      const generation = (await listJournals(directory).catch(ignoreMissing))?.at(-1);
      if (generation === undefined) {
        throw new StoreError(
          `${directory} contains no scheduler state: choose another directory with --data-dir`,
        );
      }
      const path = pathOf(directory, generation);
      // If the file is missing, a snapshot has just replaced it.
      const bytes = await readFile(path).catch(ignoreMissing);
      if (bytes) return parseJournal(path, bytes).events;
    }
  } catch (error) {
    if (error instanceof StoreError || !(error instanceof Error)) throw error;
    throw new StoreError(`the scheduler's state in ${directory} can't be read: ${error.message}`, {
      cause: error,
    });
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

class Journal implements Store {
  readonly #options: JournalOptions;
  readonly #unlock: () => Promise<void>;
  #generation = 0;
  #file: FileHandle;
  #loaded: StoredEvent[];
  #bytes: number;
  #bytesOfSnapshot: number;

  private constructor(
    options: JournalOptions,
    unlock: () => Promise<void>,
    opened: { file: FileHandle; generation: number; events: StoredEvent[]; bytes: number },
  ) {
    this.#options = options;
    this.#unlock = unlock;
    this.#file = opened.file;
    this.#generation = opened.generation;
    this.#loaded = opened.events;
    this.#bytes = opened.bytes;
    this.#bytesOfSnapshot = 0;
  }

  static async open(options: JournalOptions, unlock: () => Promise<void>): Promise<Journal> {
    const { directory, warn } = options;
    const generations = await listJournals(directory);
    const generation = generations.at(-1) ?? 1;
    if (generations.length === 0) await writeJournal(directory, generation, []);
    const path = pathOf(directory, generation);
    const { events, bytes } = await readJournal(path, warn);
    const file = await open(path, 'a', 0o600);
    const journal = new Journal(options, unlock, { file, generation, events, bytes });
    await journal.#removeOlder(generations);
    return journal;
  }

  async load(): Promise<StoredEvent[]> {
    const events = this.#loaded;
    this.#loaded = [];
    return events;
  }

  async append(events: readonly StoredEvent[]): Promise<void> {
    const frame = encodeFrame(events);
    await this.#file.appendFile(frame);
    await this.#file.datasync();
    this.#bytes += frame.length;
  }

  snapshotDue(): boolean {
    const least = this.#options.snapshotBytes ?? SNAPSHOT_BYTES;
    return this.#bytes - this.#bytesOfSnapshot >= Math.max(least, this.#bytesOfSnapshot);
  }

  async snapshot(events: Iterable<StoredEvent>): Promise<void> {
    const { directory } = this.#options;
    const before = this.#generation;
    const next = before + 1;
    const bytes = await writeJournal(directory, next, events);
    const old = this.#file;
    this.#file = await open(pathOf(directory, next), 'a', 0o600);
    this.#generation = next;
    this.#bytes = bytes;
    this.#bytesOfSnapshot = bytes;
    await old.close();
    await this.#removeOlder([before]);
  }

  loadSessions(): Promise<string | undefined> {
    return readFile(join(this.#options.directory, SESSIONS), 'utf8').catch(ignoreMissing);
  }

  async saveSessions(text: string): Promise<void> {
    const { directory } = this.#options;
    const path = join(directory, SESSIONS);
    try {
      await writeDurably(path, (file) => file.writeFile(text));
    } catch (error) {
      throw new StoreError(`${path} can't be written: ${String(error)}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
    await this.#unlock();
  }

  async #removeOlder(generations: readonly number[]): Promise<void> {
    const { directory } = this.#options;
    for (const generation of generations) {
      if (generation < this.#generation) await rm(pathOf(directory, generation), { force: true });
    }
  }
}

function pathOf(directory: string, generation: number): string {
  return join(directory, `journal.${String(generation).padStart(8, '0')}`);
}

async function listJournals(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return names
    .flatMap((name) => /^journal\.(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

async function readJournal(
  path: string,
  warn: (message: string) => void,
): Promise<{ events: StoredEvent[]; bytes: number }> {
  const bytes = await readFile(path);
  const { events, end } = parseJournal(path, bytes);
  if (end < bytes.length) {
    warn(`${path}: the last ${bytes.length - end} bytes are an incomplete record; removing them`);
    await truncate(path, end);
    await syncPath(path);
  }
  return { events, bytes: end };
}

/** @returns the events, and the end of the last complete record */
function parseJournal(path: string, bytes: Buffer): { events: StoredEvent[]; end: number } {
  const { records, end, corruptAt } = decodeFrames(bytes);
  if (corruptAt !== undefined) {
    throw new StoreError(
      `${path} is damaged at byte ${corruptAt}, but intact records follow: move the file away, then restore a backup ("mesosup scheduler restore") or start without apps and tasks`,
    );
  }
  const [header, ...batches] = records;
  if (JSON.stringify(header) !== JSON.stringify(FORMAT)) {
    throw new StoreError(
      `${path} is not a journal that this version can read ${describeHeadProblem(header, FORMAT)}, or move the file away to start without apps and tasks`,
    );
  }
  return { events: readEvents(batches.flat(), (why) => new StoreError(`${path} ${why}`)), end };
}

/** Writes a new file that only its owner can read, makes it durable, and only then renames it into place. */
async function writeDurably(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    await write(file);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  await syncPath(dirname(path));
}

/** @returns the length of the new file */
async function writeJournal(
  directory: string,
  generation: number,
  events: Iterable<StoredEvent>,
): Promise<number> {
  let bytes = 0;
  await writeDurably(pathOf(directory, generation), async (file) => {
    const write = async (record: unknown) => {
      const frame = encodeFrame(record);
      bytes += frame.length;
      await file.writeFile(frame);
    };
    await write(FORMAT);
    let batch: StoredEvent[] = [];
    for (const event of events) {
      batch.push(event);
      if (batch.length < EVENTS_PER_FRAME) continue;
      await write(batch);
      batch = [];
    }
    if (batch.length > 0) await write(batch);
  });
  return bytes;
}

/** Syncs a file, or the entries of a directory. */
async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
