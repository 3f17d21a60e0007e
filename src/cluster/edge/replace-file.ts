import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { MesosupError } from '../../errors/mesosup-error.ts';

/**
 * Replaces a file, or makes it, only when its new content is complete.
 * @param write writes the content to a new file with the given path
 * @param shown the path in messages, if it is not that of the file
 * @throws MesosupError naming the file
 */
export async function replaceFile<T>(
  file: string,
  remedy: string,
  write: (draft: string) => Promise<T>,
  shown = file,
): Promise<T> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const written = await write(draft);
    await rename(draft, file);
    return written;
  } catch (error) {
    await rm(draft, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    throw new MesosupError(`${shown} can't be written: ${code ?? message}`, {
      path: shown,
      remedy,
      cause: error,
    });
  }
}
