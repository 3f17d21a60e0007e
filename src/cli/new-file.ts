/** Writes a new cluster file. */

import { access, constants, rename, writeFile } from 'node:fs/promises';
import { UsageError } from '../errors/mesosup-error.ts';

/** @throws UsageError if the file could not be written */
export async function checkPlace(file: string, directory: string, force: boolean): Promise<void> {
  try {
    await access(directory, constants.W_OK);
  } catch (error) {
    throw unwritable(file, error);
  }
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (isThere && !force) throw alreadyThere(file);
}

function alreadyThere(file: string): UsageError {
  return new UsageError(
    `${file} already exists: overwrite it with --force, or name another file with --file`,
  );
}

function unwritable(file: string, error: unknown): UsageError {
  const { code } = error as NodeJS.ErrnoException;
  const why = code === 'ENOENT' ? 'there is no such directory' : code;
  return new UsageError(`${file} can't be written: ${why}: name another file with --file`);
}

/** Replaces an existing file only after the new text has been written completely. */
export async function writeNew(file: string, text: string, force: boolean): Promise<void> {
  try {
    if (force) {
      const draft = `${file}.${process.pid}`;
      await writeFile(draft, text, { flag: 'wx' });
      await rename(draft, file);
    } else await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? alreadyThere(file) : unwritable(file, error);
  }
}
