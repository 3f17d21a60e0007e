/** The content of a cluster's backup: the state directory on this machine, the cluster file, the scheduler's state. */

import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { parseJson } from '../../json.ts';
import { RELEASE } from '../../release.ts';
import { readStored, type StoredFile } from '../../stored/file.ts';
import { readerOf } from '../../stored/reader.ts';
import { record } from '../../stored/record.ts';
import { seal, unseal } from './seal.ts';

export interface ClusterBackup {
  readonly cluster: string;
  /** ISO 8601. */
  readonly made: string;
  /** Files of the state directory by relative path, as base64. */
  readonly state: Readonly<Record<string, string>>;
  /** Files beside the cluster file by name, as base64. */
  readonly spec: Readonly<Record<string, string>>;
  /** A backup by `mesosup scheduler backup`, as base64. */
  readonly scheduler?: string | undefined;
}

const text = z.string();
const files = z.record(text, text);
const FILE: StoredFile<ClusterBackup> = {
  format: 1,
  read: readerOf(
    record<ClusterBackup>({
      cluster: text,
      made: text,
      state: files,
      spec: files,
      scheduler: text.optional(),
    }),
  ),
};

/** As in the spec. */
const CLUSTER_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** Logs of runs may be large, and drafts are incomplete. */
const LEFT_OUT = /^(run-.*\.log|\.draft-.*)$/;
/** Bytes of one file. The whole backup is in memory. */
const MAX_FILE = 64 * 2 ** 20;

/**
 * Reads all files of a directory, without logs and links.
 * @param own names of files that are read also if they are links
 * @returns base64 by relative path
 */
export async function filesIn(
  directory: string,
  own: readonly string[] = [],
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const isOwn = entry.isSymbolicLink() && own.includes(path.relative(directory, file));
    if ((!entry.isFile() && !isOwn) || LEFT_OUT.test(entry.name)) continue;
    const { size } = await stat(file);
    if (size > MAX_FILE) {
      throw new MesosupError(`${file} has ${size} bytes, and a backup takes files up to ${MAX_FILE}`, {
        path: file,
        remedy: 'Move it out of the directory of the cluster.',
      });
    }
    found[path.relative(directory, file)] = (await readFile(file)).toString('base64');
  }
  return found;
}

/** Writes a new file, readable by its owner only. @throws MesosupError if it exists */
export async function writeBackup(file: string, backup: ClusterBackup, passPhrase: string): Promise<number> {
  const content = Buffer.from(JSON.stringify({ format: 1, release: RELEASE, ...backup }));
  const sealed = await seal(content, passPhrase);
  const draft = `${file}.part`;
  try {
    await rm(draft, { force: true });
    await writeFile(draft, sealed, { flag: 'wx', mode: 0o600, flush: true });
    if (await exists(file)) throw taken(file);
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error instanceof MesosupError ? error : unwritable(file, error);
  }
  return sealed.length;
}

/** @throws MesosupError */
export async function readBackup(file: string, sealed: Buffer, passPhrase: string): Promise<ClusterBackup> {
  const content = parseJson((await unseal(sealed, passPhrase, file)).toString('utf8'));
  const backup = readStored(
    content,
    FILE,
    (why, remedy) => new MesosupError(`${file} ${why}`, { path: file, ...(remedy && { remedy }) }),
  );
  if (backup === undefined) throw new MesosupError(`${file} is damaged`, { path: file });
  // It becomes the name of a directory.
  if (!CLUSTER_NAME.test(backup.cluster)) {
    throw new MesosupError(`${file} contains a cluster with the name ${JSON.stringify(backup.cluster)}`, {
      path: file,
    });
  }
  for (const name of [...Object.keys(backup.state), ...Object.keys(backup.spec)]) {
    const isInside = name !== '' && !path.isAbsolute(name) && !name.split(/[\\/]/).includes('..');
    if (!isInside || /\p{Cc}/u.test(name))
      throw new MesosupError(`${file} contains a file with the path ${JSON.stringify(name)}`, { path: file });
  }
  return backup;
}

/** @throws MesosupError if the directory exists and is not empty */
async function mustBeNew(directory: string): Promise<void> {
  const found = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw unwritable(directory, error);
  });
  if (found.length > 0) throw taken(directory);
}

/** Writes files into new directories: all of them or nothing. @throws MesosupError if one exists and is not empty */
export async function restoreAll(
  parts: readonly (readonly [directory: string, content: Readonly<Record<string, string>>])[],
): Promise<void> {
  for (const [directory] of parts) await mustBeNew(directory);
  const done: string[] = [];
  try {
    for (const [directory, content] of parts) {
      await restoreFiles(directory, content);
      done.push(directory);
    }
  } catch (error) {
    for (const directory of done) await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Writes the files into a new directory: all of them or nothing. @throws MesosupError if it exists and is not empty */
export async function restoreFiles(
  directory: string,
  content: Readonly<Record<string, string>>,
): Promise<void> {
  const parent = path.dirname(directory);
  try {
    await mustBeNew(directory);
    await mkdir(parent, { recursive: true, mode: 0o700 });
    const draft = await mkdtemp(path.join(parent, '.restore-'));
    try {
      for (const [name, base64] of Object.entries(content)) {
        const file = path.join(draft, name);
        await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
        await writeFile(file, Buffer.from(base64, 'base64'), { flag: 'wx', mode: 0o600, flush: true });
      }
      // Replaces an empty directory.
      await rename(draft, directory);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      throw error;
    }
  } catch (error) {
    throw error instanceof MesosupError ? error : unwritable(directory, error);
  }
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

function taken(file: string): MesosupError {
  return new MesosupError(`${file} exists already`, {
    path: file,
    remedy: 'Name another one, or move it away first.',
  });
}

function unwritable(file: string, cause: unknown): MesosupError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new MesosupError(`${file} can't be written: ${code ?? message}`, { path: file, cause });
}
