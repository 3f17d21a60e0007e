/**
 * Prevents two daemons from using the same directory, with a file `lock` that names its process. The lock of a process
 * that has ended is taken over.
 */

import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJson, type Json, parseJson } from '../../json.ts';
import { identify, isAlive } from '../../proc/process-id.ts';
import { StoreError } from './store.ts';

const ATTEMPTS = 5;

/** @returns a function that releases the lock; @throws StoreError that names the process holding the lock */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, 'lock');
  const own = JSON.stringify({ pid: process.pid, started: identify(process.pid)?.startTime });
  const draft = join(directory, `lock.${process.pid}`);
  await writeFile(draft, own, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (await tryLink(draft, path)) {
        return async () => {
          if ((await read(path)) === own) await rm(path, { force: true });
        };
      }
      const held = await read(path);
      if (held !== undefined && isHolderAlive(held)) throw inUseError(directory, held);
      if (held !== undefined) await removeStale(path, held);
    }
    throw inUseError(directory, await read(path));
  } finally {
    await rm(draft, { force: true });
  }
}

/** Moves a stale lock away before removing it; moves it back if another process has taken the lock meanwhile. */
async function removeStale(path: string, held: string): Promise<void> {
  const aside = `${path}.stale.${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await read(aside)) !== held) await tryLink(aside, path);
  await rm(aside, { force: true });
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(held: string): Json {
  const value = parseJson(held);
  return isJson(value) ? value : {};
}

function isHolderAlive(held: string): boolean {
  const { pid, started } = parse(held);
  return typeof pid === 'number' && isAlive({ pid, startTime: String(started) });
}

function inUseError(directory: string, held: string | undefined): StoreError {
  const { pid } = parse(held ?? '');
  return new StoreError(
    `${directory} is in use by process ${String(pid ?? 'of another scheduler')}: stop that process, or choose another --data_dir`,
  );
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
