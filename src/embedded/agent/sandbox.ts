/** Creates sandboxes on disk. */

import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { findUser, type UserIds } from './users.ts';

/**
 * Creates the sandbox of a run, empty output files, and the link `latest`. Only the user has access.
 * @throws Error with Mesos' texts, for example "No such user"
 */
export function createSandbox(directory: string, user: string): UserIds | undefined {
  try {
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o750);
    const ids = findUser(user);
    if (!ids) {
      rmdirSync(directory);
      throw new Error(`Failed to chown directory: No such user '${user}'`);
    }
    const own = ids.uid === process.getuid?.();
    if (!own) chownSync(directory, ids.uid, ids.gid);
    for (const name of ['stdout', 'stderr']) {
      const path = join(directory, name);
      closeSync(openSync(path, 'a', 0o644));
      if (!own) chownSync(path, ids.uid, ids.gid);
    }
    const latest = join(dirname(directory), 'latest');
    rmSync(latest, { force: true });
    symlinkSync(directory, latest);
    return own ? undefined : ids;
  } catch (error) {
    throw new Error(`Failed to create executor directory '${directory}': ${(error as Error).message}`);
  }
}
