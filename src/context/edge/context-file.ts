/** Reads and writes the contexts that users added: `~/.config/mesosup/contexts.json`, readable only by its owner. */

import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { parseJson } from '../../json.ts';
import { RELEASE } from '../../release.ts';
import { readStored } from '../../stored/file.ts';
import { contextsFile, type StoredContexts } from '../stored-contexts.ts';

const NONE: StoredContexts = { contexts: [] };
const LOCK_MS = 10_000;
/** A change takes some milliseconds: a lock that stays longer is of a process that was killed. */
const DEAD_MS = 2000;
const LOCK_RETRY_MS = 20;

/** `$XDG_CONFIG_HOME/mesosup/contexts.json`, or below `~/.config`. */
export function contextsPath(environment: NodeJS.ProcessEnv, home: string): string {
  const set = environment.XDG_CONFIG_HOME;
  // The XDG specification requires that a relative path is ignored.
  const base = set !== undefined && path.isAbsolute(set) ? set : path.join(home, '.config');
  return path.join(base, 'mesosup/contexts.json');
}

/** @throws MesosupError if the file is damaged, of a later release, or readable by others */
export async function readContexts(file: string): Promise<StoredContexts> {
  const text = await readPrivate(file);
  if (text === undefined) return NONE;
  const refuse = (why: string, remedy = `Move it away, and add the contexts again.`) =>
    new MesosupError(`${file} ${why}`, { path: file, remedy });
  const read = readStored(parseJson(text), contextsFile, refuse);
  if (read === undefined) throw refuse('is damaged');
  return read;
}

/**
 * Changes the file, one process at a time. Writes nothing if `change` throws.
 * @param change called again if another process took over the lock, for example because the disk was slow
 * @throws MesosupError, and the errors of `change`
 */
export async function changeContexts(
  file: string,
  change: (contexts: StoredContexts) => StoredContexts,
): Promise<void> {
  for (let isDone = false; !isDone; ) {
    const held = await lock(file);
    try {
      isDone = await write(file, change(await readContexts(file)), held);
    } finally {
      await held.end();
    }
  }
}

/** @returns false if the lock was lost, so that the file may be another one than the one that was changed */
async function write(file: string, contexts: StoredContexts, held: Lock): Promise<boolean> {
  const text = `${JSON.stringify({ format: 1, release: RELEASE, ...contexts }, null, 2)}\n`;
  try {
    // A link stays, and the file to which it leads is replaced.
    const target = await realpath(file).catch(() => file);
    const draft = `${target}.${randomBytes(6).toString('hex')}`;
    await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    // The disk may have taken a long time.
    const isOurs = await held.isOurs();
    if (isOurs) await rename(draft, target);
    else await rm(draft, { force: true });
    return isOurs;
  } catch (error) {
    throw unwritable(file, error);
  }
}

interface Lock {
  /** False if another process has removed it. */
  isOurs(): Promise<boolean>;
  end(): Promise<void>;
}

/** @throws MesosupError if other processes hold it one after the other */
async function lock(file: string): Promise<Lock> {
  const held = `${file}.lock`;
  const own = randomBytes(12).toString('hex');
  const isOurs = async () => (await readFile(held, 'utf8').catch(() => undefined)) === own;
  let seen: { readonly id: string; readonly since: number } | undefined;
  for (const end = Date.now() + LOCK_MS; Date.now() < end; await sleep(LOCK_RETRY_MS)) {
    try {
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(held, own, { mode: 0o600, flag: 'wx' });
      return { isOurs, end: async () => void ((await isOurs()) && (await rm(held, { force: true }))) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(file, error);
    }
    const id = await readFile(held, 'utf8').catch(() => undefined);
    if (id === undefined) continue;
    if (seen?.id !== id) seen = { id, since: Date.now() };
    else if (Date.now() - seen.since > DEAD_MS) await removeLock(held, id);
  }
  throw new MesosupError(`${file} is being changed by other processes`, { path: file, remedy: 'Try again.' });
}

/** Removes the lock of a process that was killed, unless another process has just done so and holds its own. */
async function removeLock(held: string, id: string): Promise<void> {
  const aside = `${held}.${randomBytes(6).toString('hex')}`;
  await rename(held, aside).catch(() => {});
  const found = await readFile(aside, 'utf8').catch(() => id);
  if (found !== id) await link(aside, held).catch(() => {});
  await rm(aside, { force: true });
}

function unwritable(file: string, error: unknown): MesosupError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new MesosupError(`${file} can't be written: ${code ?? message}`, { path: file, cause: error });
}

async function readPrivate(file: string): Promise<string | undefined> {
  try {
    // Of a link, the file to which it leads.
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) {
      throw new MesosupError(`${file} contains secrets, but other users can access it`, {
        path: file,
        remedy: `Run: chmod 600 ${file}`,
      });
    }
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof MesosupError) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new MesosupError(`${file} can't be read: ${code ?? message}`, { path: file, cause: error });
  }
}
