/** Reads the operator's directories of certificates and templates. */

import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../errors/mesosup-error.ts';

/** Other files, such as README or .key, are left out. */
const CERTIFICATE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** @returns the content of each file by name, without those that are no files, or whose names a configuration can't contain */
async function readFiles(directory: string | undefined): Promise<Map<string, Buffer>> {
  if (directory === undefined) return new Map();
  const entries = await readdir(directory).catch((error: Error) => {
    throw new UsageError(`${directory} can't be read: ${error.message}`);
  });
  const names = entries.filter((name) => CERTIFICATE.test(name)).sort();
  const read = names.map(async (name) => [name, await readRegular(path.join(directory, name))] as const);
  return new Map((await Promise.all(read)).flatMap(([name, content]) => (content ? [[name, content]] : [])));
}

/** @returns undefined for anything else, such as a link to nothing, a pipe, or a file that was removed meanwhile */
async function readRegular(file: string): Promise<Buffer | undefined> {
  try {
    return (await stat(file)).isFile() ? await readFile(file) : undefined;
  } catch {
    return undefined;
  }
}

/** @returns the fingerprint of each file that holds a certificate with its key, by name */
export async function readCertificates(directory: string | undefined): Promise<Map<string, string>> {
  const files = await readFiles(directory);
  return new Map(
    [...files]
      .filter(([name]) => name.endsWith('.pem'))
      .map(([name, content]) => [name, createHash('sha256').update(content).digest('hex')]),
  );
}

/** @returns the text of each template by name */
export async function readTemplates(directory: string | undefined): Promise<Map<string, string>> {
  return new Map(
    [...(await readFiles(directory))].map(([name, content]) => [name, content.toString('utf8')]),
  );
}
