/**
 * The directory of a task that its container sees at /mnt/mesos/sandbox. It belongs to the container's user. Before the
 * container starts, nothing else writes there.
 */

import { chmodSync, lchownSync, lstatSync, mkdirSync, readdirSync, realpathSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DockerError } from '../docker/connection.ts';
import type { DockerEngine } from '../docker/engine.ts';
import { MesosupError } from '../errors/mesosup-error.ts';
import { isNumericUser, resolveUser, type UserIds } from './domain/container-user.ts';
import type { MountedPath } from './domain/create-command.ts';
import { TaskInvalidError } from './domain/task-plan.ts';
import type { Log } from './log.ts';
import { makeBelow } from './open-below.ts';
import { giveVolumes } from './persistent-volumes.ts';
import type { SandboxVolume } from './task-data.ts';
import type { TaskFiles } from './task-files.ts';

/** In the executor's sandbox: what the agent fetched, moved there by the supervisor (templates/executor/docker.sh). */
const FETCHED = 'fetched';
const PASSWD_LIMIT = 1024 * 1024;

/** Creates the directory. The first task of an executor gets the files that the agent fetched for it. */
export function makeTaskSandbox(files: TaskFiles): void {
  const { root, taskNames } = files;
  makeBelow(root, taskNames);
  if (isDirectory(`${root}/${FETCHED}`) && !isDirectory(files.sandbox)) {
    renameSync(`${root}/${FETCHED}`, files.sandbox);
    chmodSync(files.sandbox, 0o755);
  }
  makeBelow(root, [...taskNames, 'sandbox']);
}

/**
 * Finds a directory or file of the sandbox that is to be mounted, or creates a directory. Nothing else writes there before
 * the container starts, but a fetched archive may contain links.
 * @throws TaskInvalidError if it is neither, or if a link leads out of the sandbox
 */
export function mountedPath(files: TaskFiles, { names, target, readOnly }: SandboxVolume): MountedPath {
  const path = names.join('/');
  const invalid = (why: string) => new TaskInvalidError(`The volume "${path}" can't be mounted: ${why}`);
  if (names.some((name) => /^\.{0,2}$|[/\0]/.test(name))) throw invalid('it is not a path in the sandbox');
  const sandbox = realpathSync(files.sandbox);
  let source = sandbox;
  for (const name of names) {
    const next = join(source, name);
    if (!lstatSync(next, { throwIfNoEntry: false })) mkdirSync(next, { mode: 0o755 });
    try {
      source = realpathSync(next);
    } catch (error) {
      throw invalid(`a link leads nowhere: ${(error as Error).message}`);
    }
    if (source !== sandbox && !source.startsWith(`${sandbox}/`))
      throw invalid('a link leads out of the sandbox');
  }
  const info = lstatSync(source);
  if (!info.isDirectory() && !info.isFile()) throw invalid('it is neither a directory nor a file');
  return { source, target, readOnly };
}

/**
 * Gives the directory with the fetched files to the user of a container that was created and not started. If the user
 * can't be found out, the directory stays root's, and the task's stderr says so.
 */
export async function giveSandbox(
  engine: DockerEngine,
  container: string,
  files: TaskFiles,
  log: Log,
): Promise<void> {
  // Releases before the directory was mounted did not create it.
  if (!isDirectory(files.sandbox)) return;
  const info = await engine.inspectContainer(container);
  const user = info?.Config.User ?? '';
  const ids = await userIds(engine, container, user);
  if (typeof ids === 'string') {
    files.note(`mesosup: the sandbox is not writable for the user "${user}" of the container: ${ids}`);
    return;
  }
  try {
    give(Buffer.from(files.sandbox), ids);
    giveVolumes(info?.Mounts ?? [], files.root, ids);
  } catch (error) {
    // An executor that does not run as root, as in the demo, can't give files away.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    log({ level: 'warning', msg: 'the sandbox is writable for all users', container, reason: String(error) });
    chmodSync(files.sandbox, 0o777);
  }
}

/** @returns the ids, or the reason why they are unknown */
async function userIds(engine: DockerEngine, container: string, user: string): Promise<UserIds | string> {
  let problem = 'it is not in the /etc/passwd of the image';
  const read = async (file: string) => {
    try {
      return (await engine.readFile(container, file, PASSWD_LIMIT))?.toString('utf8');
    } catch (error) {
      if (!(error instanceof MesosupError) || (error instanceof DockerError && error.status !== 404))
        throw error;
      problem = `${file} of the image can't be read: ${error.message}`;
      return undefined;
    }
  };
  const numeric = isNumericUser(user);
  const ids = numeric
    ? resolveUser(user, undefined, undefined)
    : resolveUser(user, await read('/etc/passwd'), user.includes(':') ? await read('/etc/group') : undefined);
  return ids ?? problem;
}

/**
 * Gives a directory and all in it away, without following links. A file with several names is skipped: an archive may
 * have made a second name for a file outside.
 */
function give(path: Buffer, ids: UserIds): void {
  const info = lstatSync(path);
  const isOwn = info.uid === ids.uid && info.gid === ids.gid;
  if (!isOwn && (info.isDirectory() || info.nlink === 1)) lchownSync(path, ids.uid, ids.gid);
  if (!info.isDirectory()) return;
  // Names may be any bytes.
  for (const name of readdirSync(path, { encoding: 'buffer' })) {
    give(Buffer.concat([path, Buffer.from('/'), name]), ids);
  }
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
