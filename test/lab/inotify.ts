/** Room for many hosts: all their systemds share the machine's limit of inotify instances, which is 128 by default. */

import { readFile, writeFile } from 'node:fs/promises';

const LIMIT = '/proc/sys/fs/inotify/max_user_instances';
/** A host needs about nine; beyond the limit, its path units fail. */
const ENOUGH = 1024;

/**
 * Raises the limit until the machine's next boot, where it is lower.
 * @throws Error saying what to set where it can't
 */
export async function raiseInotifyLimit(): Promise<void> {
  if (Number(await readFile(LIMIT, 'utf8')) >= ENOUGH) return;
  await writeFile(LIMIT, String(ENOUGH)).catch((cause: unknown) => {
    throw new Error(
      `the lab can't raise the limit of inotify instances; run: sysctl fs.inotify.max_user_instances=${ENOUGH}`,
      { cause },
    );
  });
}
