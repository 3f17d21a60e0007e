/**
 * Removes the directories of ended tasks from the executor's sandbox. Mesos removes the sandbox of an ended executor, but
 * an executor of many tasks may live for months.
 */

import { readdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { maxSandboxAge } from '../mesos/sandbox-age.ts';
import { removeTree } from '../proc/remove-tree.ts';
import type { Log } from './log.ts';

/** Mesos' `disk_watch_interval`. */
const EVERY_MS = 60_000;

export interface CleanerOptions {
  /** The executor's sandbox. */
  root: string;
  limits: () => { delayMs: number; headroom: number };
  /** @param name of a directory in `tasks` */
  isLive: (name: string) => boolean;
  log: Log;
}

/** Cleans up every minute. @returns a function that stops it */
export function startCleaner(options: CleanerOptions): () => void {
  let isRunning = false;
  const timer = setInterval(() => {
    if (isRunning) return;
    isRunning = true;
    cleanSandbox(options, Date.now())
      .catch((error: unknown) =>
        options.log({ level: 'warning', msg: 'cannot remove ended tasks', reason: String(error) }),
      )
      .finally(() => {
        isRunning = false;
      });
  }, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Removes directories that were last changed too long ago. `TaskFiles.ended` marks the end of a task as a change. Links in
 * a directory are removed, not followed.
 * @param now milliseconds since the epoch
 */
export async function cleanSandbox(
  { root, limits, isLive, log }: CleanerOptions,
  now: number,
): Promise<void> {
  const tasks = path.join(root, 'tasks');
  const names = await readdir(tasks).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (names.every(isLive)) return;
  const { delayMs, headroom } = limits();
  for (const name of names) {
    const directory = path.join(tasks, name);
    const { blocks, bfree } = await statfs(root);
    const age = now - (await stat(directory)).mtimeMs;
    if (age < maxSandboxAge(delayMs, headroom, (blocks - bfree) / blocks) || isLive(name)) continue;
    log({ msg: 'removing the files of an ended task', directory });
    // One that can't be removed must not keep the others.
    await removeTree(directory).catch(({ message }: Error) =>
      log({ level: 'warning', msg: 'cannot remove the files of an ended task', directory, reason: message }),
    );
  }
}
