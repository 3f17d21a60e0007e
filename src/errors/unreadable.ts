/** The error about a file that a user named and that can't be read. */

import { UsageError } from './mesosup-error.ts';

const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: 'Check the path of the file.',
  EACCES: 'Name a file that you may read, or run as another user.',
  EISDIR: 'Name a file, not a directory.',
};

/**
 * @param name of the file in the message
 * @param error of Node's fs
 */
export function unreadable(name: string, error: unknown): UsageError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const why = code === 'ENOENT' ? 'there is no such file' : code === '' ? message : code;
  return new UsageError(`${name} can't be read: ${why}`, {
    path: name,
    remedy: REMEDIES[code] ?? 'Name another file.',
    cause: error,
  });
}
