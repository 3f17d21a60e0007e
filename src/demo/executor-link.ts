import { mkdir, readlink, rmdir, symlink, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { ExecutorLink } from './directory.ts';

/** Where the 2013 page has the Docker executor. */
export const EXECUTOR_PATH = '/var/lib/mesos/executors/docker';

/**
 * Links `at` to the built executor, making the directories that lack.
 *
 * @returns what was made, for `removeLink`; nothing made when the very link is there already
 * @returns a reason in words when the place is somebody else's or may not be written
 */
export async function makeLink(
  target: string,
  at = EXECUTOR_PATH,
): Promise<{ link?: ExecutorLink; reason?: string }> {
  const madeDirectories: string[] = [];
  try {
    const first = await mkdir(path.dirname(at), { recursive: true });
    for (let dir = path.dirname(at); first && dir.length >= first.length; dir = path.dirname(dir)) {
      madeDirectories.push(dir);
    }
    await symlink(target, at);
    return { link: { path: at, target, madeDirectories } };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      if ((await readlink(at).catch(() => undefined)) === target) return {};
      return { reason: `${at} is there already and not this demo's` };
    }
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      return { reason: `${at} may not be written by this user` };
    }
    throw error;
  }
}

/** Takes the link away if it still leads where we led it, and then the directories we made, if empty. */
export async function removeLink({ path: at, target, madeDirectories }: ExecutorLink): Promise<void> {
  if ((await readlink(at).catch(() => undefined)) !== target) return;
  await unlink(at);
  for (const dir of madeDirectories) await rmdir(dir).catch(() => undefined);
}
