/** SHA256SUMS of a release, and its signature by OpenSSH: what a host checks a download with. */

import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { $ } from 'zx';
import { fileDigest } from '../../src/install/edge/file-digest.ts';

export const SUMS = 'SHA256SUMS';
/** What a signature is for: one made for anything else is not taken. */
const NAMESPACE = 'mesosup';

/** Writes the sums of files in a directory, as `sha256sum -c` reads them. */
export async function writeSums(directory: string, names: readonly string[]): Promise<void> {
  const lines = names
    .toSorted()
    .map(async (name) => `${await fileDigest(path.join(directory, name))}  ${name}\n`);
  await writeFile(path.join(directory, SUMS), (await Promise.all(lines)).join(''));
}

/**
 * Signs a directory's sums, into SHA256SUMS.sig.
 * @param key a private key of OpenSSH, or the public one of a key that the agent holds
 * @throws ProcessOutput when ssh-keygen can't
 */
export async function signSums(directory: string, key: string): Promise<void> {
  const sums = path.join(directory, SUMS);
  await rm(`${sums}.sig`, { force: true });
  await $({ quiet: true })`ssh-keygen -q -Y sign -f ${key} -n ${NAMESPACE} ${sums}`;
}

/** Type and key, of a private key's file or a public one's. @throws ProcessOutput when ssh-keygen can't read it */
export async function publicKey(key: string): Promise<string> {
  const text = await readFile(key, 'utf8');
  const shown = text.startsWith('-----') ? (await $({ quiet: true })`ssh-keygen -y -f ${key}`).stdout : text;
  return shown.trim().split(/\s+/).slice(0, 2).join(' ');
}
