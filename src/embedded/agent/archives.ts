/** Unpacks archives with the programs of the system, as the owner of the sandbox. */

import { spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { lchown, lstat, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { UserIds } from './users.ts';

const TAR = /\.(?:tar|tgz|tar\.gz|tbz2|tar\.bz2|txz|tar\.xz)$/;

interface Owner {
  /** Undefined for the agent's own user. */
  user: UserIds | undefined;
  signal: AbortSignal;
}

/**
 * Unpacks a file if the end of its name is that of an archive, by the list of Mesos. Names with `..` are an error. Links
 * are kept, and none is followed: GNU tar and unzip make them last, and an archive is unpacked into an empty directory
 * first, so that it finds no links of an earlier one.
 * @returns false if it is no archive
 */
export async function extract(file: string, directory: string, owner: Owner): Promise<boolean> {
  if (file.endsWith('.gz') && !TAR.test(file)) {
    await gunzip(file, directory, owner);
    return true;
  }
  if (!TAR.test(file) && !file.endsWith('.zip')) return false;
  const staging = await mkdtemp(join(directory, '.unpacked-'));
  try {
    if (owner.user) await lchown(staging, owner.user.uid, owner.user.gid);
    if (TAR.test(file))
      await run('tar', ['-x', '-f', file, '-C', staging, '--no-same-owner'], 'ignore', owner);
    else await run('unzip', ['-q', '-o', file, '-d', staging], 'ignore', owner);
    await merge(Buffer.from(staging), Buffer.from(directory));
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return true;
}

async function gunzip(file: string, directory: string, owner: Owner): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  const target = join(directory, basename(file, '.gz'));
  const fd = openSync(target, flags, 0o644);
  try {
    if (owner.user) await lchown(target, owner.user.uid, owner.user.gid);
    await run('gunzip', ['-d', '-c', file], fd, owner);
  } finally {
    closeSync(fd);
  }
}

/** Moves the content of a directory into another one. Files replace files and links; a directory replaces neither. */
async function merge(from: Buffer, to: Buffer): Promise<void> {
  // Names may be any bytes.
  for (const name of await readdir(from, { encoding: 'buffer' })) {
    const source = Buffer.concat([from, Buffer.from('/'), name]);
    const target = Buffer.concat([to, Buffer.from('/'), name]);
    const [here, there] = await Promise.all([lstat(source), lstat(target).catch(() => undefined)]);
    if (here.isDirectory() && there?.isDirectory()) await merge(source, target);
    else await rename(source, target);
  }
}

function run(
  program: string,
  args: readonly string[],
  stdout: number | 'ignore',
  { user, signal }: Owner,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const ids = user && { uid: user.uid, gid: user.gid };
    const child = spawn(program, args, { stdio: ['ignore', stdout, 'pipe'], signal, ...ids });
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-1000);
    });
    child.once('error', (error) => reject(new Error(`Failed to run '${program}': ${error.message}`)));
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`Failed to extract by '${program} ${args.join(' ')}': ${errors.trim()}`));
    });
  });
}
