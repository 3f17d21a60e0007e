/** Writes and reads the records of runs, which are files in the cluster's state on this machine. */

import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { redactor } from '../../cluster/redaction.ts';
import { MesosupError, UsageError } from '../../errors/mesosup-error.ts';
import { parseJson } from '../../json.ts';
import { RELEASE } from '../../release.ts';
import { readStored } from '../../stored/file.ts';
import {
  parseRunLines,
  type RunEnding,
  type RunHead,
  type RunLine,
  type RunRecord,
  runHeadFile,
} from '../logs/run-record.ts';

/** Records that are kept of a cluster; the oldest ones are removed. */
const KEPT = 20;
/** Characters of output of programs that are kept of a run. Its other lines have no limit but the number of steps. */
const MOST_OUTPUT = 4 << 20;
/** Lines that are kept until a run begins. */
const MOST_EARLY = 100;
const EXTENSION = '.ndjson';

/** The directory of the records in the directory of a cluster's state. */
export function recordsDirectory(stateDirectory: string): string {
  return path.join(stateDirectory, 'runs');
}

type NewLine = Omit<RunLine, 'at'>;

export interface RecordOptions {
  /** Called once when a record can't be written: the run goes on without it. */
  readonly onProblem: (text: string) => void;
  /** In ms since 1970. */
  readonly now: () => number;
}

/**
 * Writes the record of a run, line by line, so that it is complete also when the program is killed. Nothing is written
 * before the run begins, and without a run nothing at all; the last lines before its beginning belong to it.
 */
export class RunRecorder {
  readonly #directory: string;
  readonly #options: RecordOptions;
  #early: RunLine[] = [];
  #file: number | undefined;
  #id: string | undefined;
  #output = 0;
  #broken = false;
  #redact = redactor([]);

  constructor(directory: string, options: RecordOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  /** Removes these secrets from all lines that are written from now on; what a text shows to be one is always removed. */
  hide(secrets: readonly string[]): void {
    this.#redact = redactor(secrets);
  }

  /** The id of the run in progress. */
  get id(): string | undefined {
    return this.#file === undefined ? undefined : this.#id;
  }

  /** @returns the id; the present one if a run has begun; undefined if the record can't be written */
  begin({ command, cluster, who }: Pick<RunHead, 'command' | 'cluster' | 'who'>): string | undefined {
    if (this.#file !== undefined || this.#broken) return this.id;
    const began = this.#options.now();
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      const { id, file } = createFile(this.#directory, newId(began, command));
      this.#file = file;
      this.#id = id;
      removeOld(this.#directory);
      this.#put({ format: 1, release: RELEASE, id, command, cluster, who, began });
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
    for (const line of this.#early) this.#add(line);
    this.#early = [];
    return this.#id;
  }

  write(line: NewLine): void {
    const stamped = { at: this.#options.now(), ...line };
    if (this.#file !== undefined) this.#add(stamped);
    else if (!this.#broken) this.#early = [...this.#early, stamped].slice(-MOST_EARLY);
  }

  /** Ends the run; does nothing without one. */
  end(end: RunEnding): void {
    if (this.#file === undefined) return;
    this.#put({ at: this.#options.now(), end });
    this.#close();
  }

  #add({ text, remedy, ...line }: RunLine): void {
    if (line.kind === 'output') {
      if (this.#output > MOST_OUTPUT) return;
      this.#output += text.length;
      if (this.#output > MOST_OUTPUT) {
        this.#put({ ...line, host: '', kind: 'note', text: 'further output of programs is left out' });
        return;
      }
    }
    const redact = this.#redact;
    this.#put({ ...line, text: redact(text), ...(remedy !== undefined && { remedy: redact(remedy) }) });
  }

  #put(value: object): void {
    if (this.#file === undefined) return;
    try {
      writeSync(this.#file, `${JSON.stringify(value)}\n`);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#broken = true;
    this.#close();
    const { code, message } = error as NodeJS.ErrnoException;
    this.#options.onProblem(
      `the record of this run can't be written to ${this.#directory}: ${code ?? message}`,
    );
  }

  #close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** `20261130T110430-node-add` */
function newId(began: number, command: string): string {
  const stamp = new Date(began).toISOString().replace(/[-:]|\.\d+Z$/g, '');
  return `${stamp}-${command.replace(/[^a-z]+/g, '-')}`;
}

/** Two runs may begin in the same second. */
function createFile(directory: string, id: string): { readonly id: string; readonly file: number } {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? id : `${id}-${count}`;
    try {
      return { id: name, file: openSync(path.join(directory, name + EXTENSION), 'wx', 0o600) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function removeOld(directory: string): void {
  for (const name of namesIn(readdirSync(directory)).slice(0, -KEPT)) {
    rmSync(path.join(directory, name + EXTENSION), { force: true });
  }
}

/** Ids in the order of their times. */
function namesIn(files: readonly string[]): string[] {
  return files
    .filter((name) => name.endsWith(EXTENSION))
    .map((name) => name.slice(0, -EXTENSION.length))
    .sort();
}

/** @returns the ids of the records, oldest first */
export async function runIds(directory: string): Promise<string[]> {
  try {
    return namesIn(await readdir(directory));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** @param id of a record, or `last`. @throws UsageError if there is none; MesosupError if it can't be read */
export async function readRun(directory: string, id: string): Promise<RunRecord> {
  const ids = await runIds(directory);
  const found = id === 'last' ? ids.at(-1) : ids.find((one) => one === id);
  if (found === undefined) {
    const what = id === 'last' ? 'no run' : `no run "${id}"`;
    throw new UsageError(`there is ${what} of this cluster on this machine`, {
      remedy:
        ids.length === 0
          ? 'A run is kept on the machine from which it was started: ask there.'
          : `List the runs with: mesosup logs --runs  The last one is ${ids.at(-1)}.`,
    });
  }
  return readRecord(path.join(directory, found + EXTENSION));
}

async function readRecord(file: string): Promise<RunRecord> {
  const [first = '', ...rest] = (await readFile(file, 'utf8')).split('\n');
  const damaged = (why: string, remedy?: string) =>
    new MesosupError(`${file} ${why}`, { path: file, remedy: remedy ?? 'Remove it.' });
  const head = readStored(parseJson(first), runHeadFile, damaged);
  if (head === undefined) throw damaged('is damaged');
  return { head, ...parseRunLines(rest) };
}

/** @returns all records that can be read, oldest first */
export async function readRuns(directory: string): Promise<RunRecord[]> {
  const all = await Promise.all(
    (await runIds(directory)).map((id) =>
      readRecord(path.join(directory, id + EXTENSION)).catch((error: unknown) => {
        // Another run removes old records, and one may be of a later release.
        if (error instanceof MesosupError || (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      }),
    ),
  );
  return all.flat();
}
