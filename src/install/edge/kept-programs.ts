/**
 * Other versions of mesosup on this machine: in `/opt/mesosup`, and archives that earlier runs sent to hosts. An upgrade
 * can go back to them.
 */

import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { listed } from '../../text/listed.ts';
import { PAYLOADS } from '../script/places.ts';
import { meetsVersion } from '../versions.ts';
import { archiveDirectory } from './payload.ts';

interface Kept {
  readonly version: string;
  /** Path of an archive, or of a directory. */
  readonly path: string;
}

/**
 * Returns the directory of the program, unpacked if need be.
 * @param root of this program
 * @param version or its prefix: `0.1.0` finds `0.1.0+5f3e…`
 * @param installed the directory of unpacked versions
 * @throws MesosupError that names the versions on this machine
 */
export async function keptProgram(root: string, version: string, installed = PAYLOADS): Promise<string> {
  const archives = archiveDirectory(root);
  const all = [...(await unpackedIn(installed)), ...(await archivesIn(archives))];
  const exact = all.filter((one) => one.version === version);
  const found = exact.length > 0 ? exact : all.filter((one) => meetsVersion(one.version, version));
  const [first] = found;
  if (first === undefined) {
    const names = [...new Set(all.map((one) => one.version))];
    throw new MesosupError(
      `there is no mesosup ${version} on this machine${names.length > 0 ? `, only ${listed(names)}` : ''}`,
      {
        remedy: 'Install that version here with its bootstrap.sh or package, and run its "mesosup upgrade".',
      },
    );
  }
  if (new Set(found.map((one) => one.version)).size > 1) {
    throw new MesosupError(`--to ${version} could be ${listed(found.map((one) => one.version))}`, {
      remedy: 'Write the whole version.',
    });
  }
  return first.path.endsWith(ENDING) ? unpacked(first, path.join(archives, 'programs')) : first.path;
}

const ENDING = '.tar.gz';

async function unpackedIn(directory: string): Promise<Kept[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => ({ version: name, path: path.join(directory, name) }));
}

async function archivesIn(directory: string): Promise<Kept[]> {
  const names = await readdir(directory).catch(() => []);
  return names.flatMap((name) => {
    const version = /^mesosup-(.+)-linux-[a-z0-9]+\.tar\.gz$/.exec(name)?.[1];
    return version === undefined ? [] : [{ version, path: path.join(directory, name) }];
  });
}

async function unpacked({ version, path: archive }: Kept, directory: string): Promise<string> {
  const target = path.join(directory, version);
  if ((await readdir(target).catch(() => [])).length > 0) return target;
  await mkdir(directory, { recursive: true });
  const draft = await mkdtemp(path.join(directory, '.new-'));
  try {
    await execa('tar', ['-xzf', archive, '-C', draft]);
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return target;
}
