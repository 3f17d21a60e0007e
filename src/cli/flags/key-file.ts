/** Checks the file of `--key` before any host is asked. */

import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { unreadable } from '../../errors/unreadable.ts';

/**
 * Returns the full path of a private key. The public key beside it suffices, since an agent may hold the private key.
 * @param directory of a relative path
 * @throws UsageError if the file can't be read
 */
export async function keyFile(key: string, directory: string): Promise<string> {
  const full = path.resolve(directory, key.replace(/^~(?=\/|$)/, homedir()));
  await access(full, constants.R_OK).catch((error: unknown) =>
    access(`${full}.pub`, constants.R_OK).catch(() => {
      throw unreadable(`--key: ${key}`, error);
    }),
  );
  return full;
}
