/** Writes a new cluster file. */

import { access, constants, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Flags } from '@oclif/core';
import type { Cluster } from '../cluster/cluster.ts';
import { UsageError } from '../errors/mesosup-error.ts';
import { count } from '../text/count.ts';

export const newFileFlags = {
  file: Flags.string({
    char: 'f',
    default: 'cluster.yaml',
    summary: 'The file to write.',
    helpValue: 'FILE',
  }),
  force: Flags.boolean({ summary: 'Overwrite the file if it exists.' }),
};

/** Returns the URL of the schema for editors. @param root of the program, see oclif's `Config` */
export function schemaUrl(root: string): string {
  return pathToFileURL(path.join(root, '../templates/cluster.schema.json')).href;
}

/** Returns lines about a new file: the cluster, and the roles of its hosts. */
export function describeNew(file: string, { name, hosts }: Cluster): string {
  const roles = hosts.map((host) => `  ${host.name}: ${host.roles.join(', ')}`);
  return [`${file}: cluster ${name} of ${count(hosts.length, 'host')}`, ...roles].join('\n');
}

/** @throws UsageError if the file could not be written */
export async function checkPlace(file: string, directory: string, force: boolean): Promise<void> {
  try {
    await access(directory, constants.W_OK);
  } catch (error) {
    throw unwritable(file, error);
  }
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (isThere && !force) throw alreadyThere(file);
}

function alreadyThere(file: string): UsageError {
  return new UsageError(
    `${file} already exists: overwrite it with --force, or name another file with --file`,
  );
}

function unwritable(file: string, error: unknown): UsageError {
  const { code } = error as NodeJS.ErrnoException;
  const why = code === 'ENOENT' ? 'there is no such directory' : code;
  return new UsageError(`${file} can't be written: ${why}: name another file with --file`);
}

/** Replaces an existing file only after the new text has been written completely. */
export async function writeNew(file: string, text: string, force: boolean): Promise<void> {
  try {
    if (force) {
      const draft = `${file}.${process.pid}`;
      await writeFile(draft, text, { flag: 'wx' });
      await rename(draft, file);
    } else await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? alreadyThere(file) : unwritable(file, error);
  }
}
