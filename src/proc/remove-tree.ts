/** Removes directories whose content strangers have made. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Removes a directory with all in it; a missing one is no error. The program rm removes what Node can't: directories so
 * deep that their path is too long for a system call. It follows no link, even if one takes the place of a directory
 * meanwhile, and does not enter other mounted file systems.
 * @param directory an absolute path
 * @throws Error with the words of rm
 */
export async function removeTree(directory: string): Promise<void> {
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
  await promisify(execFile)('rm', ['-rf', '--one-file-system', '--', directory], { env }).catch(
    ({ stderr, message }: Error & { stderr?: string }) => {
      throw new Error(stderr?.trim().slice(0, 1000) || message);
    },
  );
}
