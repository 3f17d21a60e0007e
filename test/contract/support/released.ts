/** The scheduler of release 0.1.0, from its commit in the history of this checkout. */

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

const COMMIT = '230f0f56bcfa32ad8b9466c5dc0a83783a4f71c1';
const ROOT = path.resolve(import.meta.dirname, '../../..');

/**
 * Installs it into a new directory, with its packages at the time.
 * @returns its main.ts; undefined if the checkout does not have the commit
 */
export async function releasedScheduler(directory: string): Promise<string | undefined> {
  const { exitCode } = await execa({ cwd: ROOT, reject: false })`git cat-file -e ${COMMIT}^{commit}`;
  if (exitCode !== 0) return undefined;
  await mkdir(directory);
  const files = ['src', 'package.json', 'package-lock.json'];
  await execa({ cwd: ROOT })`git archive ${COMMIT} ${files}`.pipe({ cwd: directory })`tar -x`;
  const flags = ['--omit=dev', '--omit=optional', '--ignore-scripts', '--prefer-offline', '--no-audit'];
  await execa({ cwd: directory })`npm ci ${flags}`;
  return path.join(directory, 'src/scheduler/main.ts');
}
