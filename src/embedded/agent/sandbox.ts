/** Sandboxes on disk. */

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
 * Makes the sandbox of a run, empty files for its output, and the link `latest` to it. Private to the user.
 * @throws Error in Mesos' words, "No such user" among them
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
