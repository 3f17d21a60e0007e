/** The records of labs, outside the process that started them, so that every lab can be removed. */

import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { identify, isAlive, killNow, type ProcessId } from '../../src/proc/process-id.ts';
import { labsWithObjects, removeObjects } from './docker.ts';

/** Written into the lab's directory. */
export interface LabState {
  id: string;
  /** The lab ends with this process; without one it is up until someone takes it down. */
  owner?: ProcessId;
  mirror?: ProcessId;
}

const ROOT = path.join(tmpdir(), 'mesosup-lab');
const FILE = 'lab.json';

export function labDirectory(id: string): string {
  return path.join(ROOT, id);
}

/** Creates a lab's directory atomically with its state. */
export async function createState(owned: boolean): Promise<LabState> {
  const id = randomBytes(3).toString('hex');
  const owner = identify(process.pid);
  const state: LabState = owned && owner ? { id, owner } : { id };
  await mkdir(ROOT, { recursive: true });
  const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-lab-new-'));
  await writeFile(path.join(directory, FILE), JSON.stringify(state));
  await rename(directory, labDirectory(id));
  return state;
}

export async function saveState(state: LabState): Promise<void> {
  const file = path.join(labDirectory(state.id), FILE);
  await writeFile(`${file}.new`, JSON.stringify(state));
  await rename(`${file}.new`, file);
}

async function readState(id: string): Promise<LabState | undefined> {
  try {
    return JSON.parse(await readFile(path.join(labDirectory(id), FILE), 'utf8')) as LabState;
  } catch {
    return undefined;
  }
}

/** Lists all labs with a directory, including abandoned ones. */
export async function listLabs(): Promise<LabState[]> {
  const ids = await readdir(ROOT).catch(() => []);
  const states = await Promise.all(ids.map((id) => readState(id)));
  return states.filter((state) => state !== undefined);
}

/** Removes containers, networks, volumes, the mirror's process and the directory. */
export async function removeLab(id: string): Promise<void> {
  const mirror = (await readState(id))?.mirror;
  if (mirror && isAlive(mirror)) killNow(mirror.pid);
  await removeObjects(id);
  await rm(labDirectory(id), { recursive: true, force: true });
}

/** Removes every lab whose owner has ended. */
export async function removeLeftovers(): Promise<void> {
  const ids = new Set([...(await labsWithObjects()), ...(await readdir(ROOT).catch(() => []))]);
  for (const id of ids) {
    const state = await readState(id);
    if (!state || (state.owner && !isAlive(state.owner))) await removeLab(id);
  }
}
