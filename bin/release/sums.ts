/** Writes and signs SHA256SUMS of a release, with which a host verifies its download. */

import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { $ } from 'zx';
import { fileDigest } from '../../src/install/edge/file-digest.ts';

export const SUMS = 'SHA256SUMS';
/** The namespace of the signatures (ssh-keygen -n). Signatures with another namespace are refused. */
const NAMESPACE = 'mesosup';

/** Writes the checksums of files in a directory, in the format of `sha256sum -c`. */
export async function writeSums(directory: string, names: readonly string[]): Promise<void> {
  const lines = names
    .toSorted()
    .map(async (name) => `${await fileDigest(path.join(directory, name))}  ${name}\n`);
  await writeFile(path.join(directory, SUMS), (await Promise.all(lines)).join(''));
}

/**
 * Signs a directory's checksums; the signature is SHA256SUMS.sig.
 * @param key a private key of OpenSSH, or the public key of a key in the SSH agent
 * @throws ProcessOutput if ssh-keygen fails
 */
export async function signSums(directory: string, key: string): Promise<void> {
  const sums = path.join(directory, SUMS);
  await rm(`${sums}.sig`, { force: true });
  await $({ quiet: true })`ssh-keygen -q -Y sign -f ${key} -n ${NAMESPACE} ${sums}`;
}

/** Type and key from the file of a private or public key. @throws ProcessOutput if ssh-keygen can't read it */
export async function publicKey(key: string): Promise<string> {
  const text = await readFile(key, 'utf8');
  const shown = text.startsWith('-----') ? (await $({ quiet: true })`ssh-keygen -y -f ${key}`).stdout : text;
  return shown.trim().split(/\s+/).slice(0, 2).join(' ');
}
