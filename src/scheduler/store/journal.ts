/**
 * The store of a single scheduler: an append-only file of events. A snapshot is a new file that begins with the
 * shortest list of events for the same state; the file `journal.<number>` with the highest number is in force.
 */

import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { StoredEvent } from '../domain/events.ts';
import { Pace } from '../pace.ts';
import { inBatches } from './batches.ts';
import { describeHeadProblem, eventReader } from './formats.ts';
import { decodeRecord, encodeFrame, findFrames } from './frames.ts';
import { lockDirectory } from './lock.ts';
import { STATE_VERSION, type Store, StoreError } from './store.ts';
import { Turns } from './turns.ts';

const FORMAT = { format: 'mesosup-journal', version: STATE_VERSION };
/** Minimum growth before a snapshot; larger files are rewritten when they have doubled. */
const SNAPSHOT_BYTES = 4 << 20;
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
      if (bytes) {
        const read = readerOf(path);
        return findRecords(path, bytes).records.flatMap((record) => read(batchIn(record)));
      }
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
  readonly #turns = new Turns();
  #generation = 0;
  #file: FileHandle;
  #unread: readonly Buffer[];
  #bytes: number;
  #bytesOfSnapshot = 0;
  /** The frames that were appended since the beginning of the running snapshot. */
  #appended: Buffer[] | undefined;

  private constructor(
    options: JournalOptions,
    unlock: () => Promise<void>,
    opened: { file: FileHandle; generation: number; records: readonly Buffer[]; bytes: number },
  ) {
    this.#options = options;
    this.#unlock = unlock;
    this.#file = opened.file;
    this.#generation = opened.generation;
    this.#unread = opened.records;
    this.#bytes = opened.bytes;
  }

  static async open(options: JournalOptions, unlock: () => Promise<void>): Promise<Journal> {
    const { directory, warn } = options;
    const generations = await listJournals(directory);
    const generation = generations.at(-1) ?? 1;
    const path = pathOf(directory, generation);
    if (generations.length === 0) await writeDurably(path, (file) => file.writeFile(encodeFrame(FORMAT)));
    const { records, bytes } = await readJournal(path, warn);
    const file = await open(path, 'a', 0o600);
    const journal = new Journal(options, unlock, { file, generation, records, bytes });
    await journal.#removeOlder(generations);
    return journal;
  }

  async *load(): AsyncGenerator<StoredEvent[]> {
    const records = this.#unread;
    this.#unread = [];
    const read = readerOf(pathOf(this.#options.directory, this.#generation));
    const pace = new Pace();
    for (const record of records) {
      yield read(batchIn(record));
      await pace.pause();
    }
  }

  async append(events: readonly StoredEvent[]): Promise<void> {
    const frame = encodeFrame(events);
    const appended = this.#appended;
    await this.#turns.take(async () => {
      await this.#file.appendFile(frame);
      await this.#file.datasync();
      this.#bytes += frame.length;
      // Not if the snapshot ended while this frame waited for its turn.
      if (appended === this.#appended) appended?.push(frame);
    });
  }

  snapshotDue(): boolean {
    const least = this.#options.snapshotBytes ?? SNAPSHOT_BYTES;
    return this.#bytes - this.#bytesOfSnapshot >= Math.max(least, this.#bytesOfSnapshot);
  }

  async snapshot(events: Iterable<StoredEvent>): Promise<void> {
    const appended: Buffer[] = [];
    this.#appended = appended;
    const { directory } = this.#options;
    const before = this.#generation;
    const path = pathOf(directory, before + 1);
    const draft = await Draft.create(path);
    try {
      const bytes = await writeSnapshot(draft.file, events);
      // Most of the file, so that appends wait only for the rest.
      await draft.file.sync();
      await this.#turns.take(async () => {
        this.#appended = undefined;
        const rest = Buffer.concat(appended);
        await draft.file.writeFile(rest);
        await draft.finish();
        const old = this.#file;
        this.#file = await open(path, 'a', 0o600);
        this.#generation = before + 1;
        this.#bytes = bytes + rest.length;
        this.#bytesOfSnapshot = bytes;
        await old.close();
      });
    } finally {
      this.#appended = undefined;
      await draft.close();
    }
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
): Promise<{ records: readonly Buffer[]; bytes: number }> {
  const bytes = await readFile(path);
  const { records, end } = findRecords(path, bytes);
  if (end < bytes.length) {
    warn(`${path}: the last ${bytes.length - end} bytes are an incomplete record; removing them`);
    await truncate(path, end);
    await syncPath(path);
  }
  return { records, bytes: end };
}

/** @returns the records with events, and the end of the last complete one */
function findRecords(path: string, bytes: Buffer): { records: readonly Buffer[]; end: number } {
  const { records, end, corruptAt } = findFrames(bytes);
  if (corruptAt !== undefined) {
    throw new StoreError(
      `${path} is damaged at byte ${corruptAt}, but intact records follow: move the file away, then restore a backup ("mesosup scheduler restore") or start without apps and tasks`,
    );
  }
  const [first, ...batches] = records;
  const header = first && decodeRecord(first);
  if (JSON.stringify(header) !== JSON.stringify(FORMAT)) {
    throw new StoreError(
      `${path} is not a journal that this version can read ${describeHeadProblem(header, FORMAT)}, or move the file away to start without apps and tasks`,
    );
  }
  return { records: batches, end };
}

function batchIn(record: Buffer): unknown[] {
  return decodeRecord(record) as unknown[];
}

function readerOf(path: string): ReturnType<typeof eventReader> {
  return eventReader((why) => new StoreError(`${path} ${why}`));
}

/** A new file that only its owner can read. It replaces the one in place when it is complete and durable. */
class Draft {
  readonly #path: string;
  readonly file: FileHandle;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.file = file;
  }

  static async create(path: string): Promise<Draft> {
    return new Draft(path, await open(`${path}.new`, 'w', 0o600));
  }

  async finish(): Promise<void> {
    await this.file.sync();
    await rename(`${this.#path}.new`, this.#path);
    await syncPath(dirname(this.#path));
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

async function writeDurably(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const draft = await Draft.create(path);
  try {
    await write(draft.file);
    await draft.finish();
  } finally {
    await draft.close();
  }
}

/** @returns the number of bytes written */
async function writeSnapshot(file: FileHandle, events: Iterable<StoredEvent>): Promise<number> {
  let bytes = 0;
  const pace = new Pace();
  const write = async (record: unknown) => {
    const frame = encodeFrame(record);
    bytes += frame.length;
    await file.writeFile(frame);
    await pace.pause();
  };
  await write(FORMAT);
  for (const batch of inBatches(events)) await write(batch);
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
