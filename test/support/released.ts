/** The release 0.1.0, from its commit in the history of this checkout. */

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

const COMMIT = '230f0f56bcfa32ad8b9466c5dc0a83783a4f71c1';
const ROOT = path.resolve(import.meta.dirname, '../..');

/**
 * Writes files of the release into a new directory.
 * @returns false if this checkout does not have the commit
 */
export async function writeReleased(directory: string, files: readonly string[]): Promise<boolean> {
  const { exitCode } = await execa({ cwd: ROOT, reject: false })`git cat-file -e ${COMMIT}^{commit}`;
  if (exitCode !== 0) return false;
  await mkdir(directory, { recursive: true });
  await execa({ cwd: ROOT })`git archive ${COMMIT} ${files}`.pipe({ cwd: directory })`tar -x`;
  return true;
}

/** Builds the release in a new directory. @returns its program; undefined if this checkout does not have the commit */
export async function buildReleased(directory: string): Promise<string | undefined> {
  if (!(await writeReleased(directory, []))) return undefined;
  const node = path.dirname(process.execPath);
  const inRelease = execa({ cwd: directory, env: { PATH: `${node}:${process.env.PATH}` } });
  // As bin/checkout.sh of the release: the lock file names packages for systems that a registry may lack.
  const flags = ['--no-save', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  await inRelease`npm install ${flags}`;
  await inRelease`node bin/build.ts`;
  return path.join(directory, 'dist/bin/mesosup');
}
