/** Sees in /proc whether Docker's init process has started the program of its container. */

import { readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 2;
/** On a busy host, a container counts as running after this time in any case. */
const LONGEST_MS = 5000;

/**
 * Waits until the init process has a child that is another program. The init process itself ends at once if it can't
 * start the program.
 * @param pid the init process
 * @returns false if its processes can't be seen, or no longer
 */
export async function hasStartedProgram(pid: number): Promise<boolean> {
  const end = Date.now() + LONGEST_MS;
  const init = await programOf(pid);
  while (init !== undefined && Date.now() < end) {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => undefined);
    if (children === undefined) return false;
    const [first = ''] = children.trim().split(' ');
    const program = first === '' ? undefined : await programOf(Number(first));
    if (program !== undefined && program !== init) return true;
    if (first === '' && (await isZombie(pid))) return false;
    await sleep(POLL_MS);
  }
  return init !== undefined;
}

async function programOf(pid: number): Promise<string | undefined> {
  return await readlink(`/proc/${pid}/exe`).catch(() => undefined);
}

async function isZombie(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat === undefined || stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}
