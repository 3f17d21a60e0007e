import { mkdir, readlink, rmdir, symlink, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { ExecutorLink } from './directory.ts';

/** The path of the Docker executor on the 2013 page. */
export const EXECUTOR_PATH = '/var/lib/mesos/executors/docker';

/**
 * Creates the link `at` to the built executor, with its directories.
 *
 * @returns `link` for `removeLink`; nothing if the same link exists already; `reason` if another file exists at the path
 * or the user may not write there
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
      return { reason: `${at} exists already and does not belong to this demo` };
    }
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      return { reason: `this user may not write ${at}` };
    }
    throw error;
  }
}

/** Removes the link if its target is unchanged, then the directories created for it, if they are empty. */
export async function removeLink({ path: at, target, madeDirectories }: ExecutorLink): Promise<void> {
  if ((await readlink(at).catch(() => undefined)) !== target) return;
  await unlink(at);
  for (const dir of madeDirectories) await rmdir(dir).catch(() => undefined);
}
