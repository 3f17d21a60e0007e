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
 * @returns false if it has ended; undefined if its processes can't be seen
 */
export async function hasStartedProgram(pid: number): Promise<boolean | undefined> {
  const end = Date.now() + LONGEST_MS;
  const init = await programOf(pid);
  if (init === undefined) return (await stateOf(pid)) === 'Z' ? false : undefined;
  while (Date.now() < end) {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => undefined);
    if (children === undefined) return (await hasEnded(pid)) ? false : undefined;
    const [first = ''] = children.trim().split(' ');
    const program = first === '' ? undefined : await programOf(Number(first));
    if (program !== undefined && program !== init) return true;
    if (first === '' && (await hasEnded(pid))) return false;
    await sleep(POLL_MS);
  }
  return true;
}

async function programOf(pid: number): Promise<string | undefined> {
  return await readlink(`/proc/${pid}/exe`).catch(() => undefined);
}

async function hasEnded(pid: number): Promise<boolean> {
  const state = await stateOf(pid);
  return state === undefined || state === 'Z';
}

/** @returns for example `S`, or `Z` for a zombie; undefined if there is no such process */
async function stateOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat?.charAt(stat.lastIndexOf(')') + 2);
}
