/** Reads and writes the contexts that users added: `~/.config/mesosup/contexts.json`, readable only by its owner. */

import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { parseJson } from '../../json.ts';
import { RELEASE } from '../../release.ts';
import type { StoredContexts } from '../stored-contexts.ts';

const NONE: StoredContexts = { contexts: [] };

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
  const [{ readStored }, { contextsFile }] = await Promise.all([
    import('../../stored/file.ts'),
    import('../stored-contexts.ts'),
  ]);
  const refuse = (why: string, remedy = `Move it away, and add the contexts again.`) =>
    new MesosupError(`${file} ${why}`, { path: file, remedy });
  const read = readStored(parseJson(text), contextsFile, refuse);
  if (read === undefined) throw refuse('is damaged');
  return read;
}

export async function writeContexts(file: string, contexts: StoredContexts): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const text = `${JSON.stringify({ format: 1, release: RELEASE, ...contexts }, null, 2)}\n`;
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    await rename(draft, file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new MesosupError(`${file} can't be written: ${code ?? message}`, { path: file, cause: error });
  }
}

async function readPrivate(file: string): Promise<string | undefined> {
  try {
    const { mode } = await lstat(file);
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
