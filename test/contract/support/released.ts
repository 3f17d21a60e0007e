/** The scheduler of release 0.1.0. */

import path from 'node:path';
import { execa } from 'execa';
import { writeReleased } from '../../support/released.ts';

/**
 * Installs it into a new directory, with its packages at the time.
 * @returns its main.ts; undefined if the checkout does not have the commit
 */
export async function releasedScheduler(directory: string): Promise<string | undefined> {
  if (!(await writeReleased(directory, ['src', 'package.json', 'package-lock.json']))) return undefined;
  const flags = ['--omit=dev', '--omit=optional', '--ignore-scripts', '--prefer-offline', '--no-audit'];
  await execa({ cwd: directory })`npm ci ${flags}`;
  return path.join(directory, 'src/scheduler/main.ts');
}
