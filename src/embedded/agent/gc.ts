/**
 * Removes the sandboxes of ended executors after `--gc_delay`, sooner on a full disk. Source: `Slave::garbageCollect` and
 * `Slave::age` in src/slave/slave.cpp of Mesos, which goes by the time at which a directory was changed, too.
 */

import { readdirSync, rmdirSync, rmSync, utimesSync } from 'node:fs';
import { lstat, readdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { maxSandboxAge } from '../../mesos/sandbox-age.ts';
import { removeTree } from '../../proc/remove-tree.ts';
import type { Agent } from './model.ts';

/** Marks the end of an executor. */
export function markEnded(agent: Agent, directory: string): void {
  const seconds = agent.ports.now() / 1000;
  try {
    utimesSync(directory, seconds, seconds);
  } catch (error) {
    agent.ports.log(`Failed to mark the end of '${directory}': ${(error as Error).message}`);
  }
}

/** Collects at each interval. @returns a function that stops it */
export function startGarbageCollection(agent: Agent): () => void {
  const { ports, settings } = agent;
  let cancel = () => {};
  const schedule = () => {
    cancel = ports.timer(settings.diskWatchIntervalMs, () => {
      collectGarbage(agent)
        .catch((error: Error) => ports.log(`Failed to remove sandboxes: ${error.message}`))
        .finally(() => {
          if (!agent.stopped) schedule();
        });
    });
  };
  schedule();
  return () => cancel();
}

/** Removes what is old enough now. Links in a sandbox are removed, not followed. */
export async function collectGarbage(agent: Agent): Promise<void> {
  const { gcDelayMs, gcDiskHeadroom, workDir } = agent.settings;
  const { blocks, bfree } = await statfs(workDir);
  const maxAge = maxSandboxAge(gcDelayMs, gcDiskHeadroom, (blocks - bfree) / blocks);
  for (const run of await runsIn(join(workDir, 'slaves'))) {
    const info = await lstat(run);
    if (agent.stopped || isLive(agent, run) || agent.ports.now() - info.mtimeMs < maxAge) continue;
    agent.ports.log(`Deleting '${run}'`);
    try {
      await removeTree(run);
      removeEmptyParents(run, workDir);
    } catch (error) {
      // It must not keep the others.
      agent.ports.log(`Failed to delete '${run}': ${(error as Error).message}`);
    }
  }
}

function isLive(agent: Agent, directory: string): boolean {
  return [...agent.frameworks.values()].some((framework) =>
    [...framework.executors.values()].some((executor) => executor.directory === directory),
  );
}

/** Finds `<agent>/frameworks/<framework>/executors/<executor>/runs/<run>`. */
async function runsIn(slaves: string): Promise<string[]> {
  let directories = [slaves];
  for (const fixed of ['frameworks', 'executors', 'runs', undefined]) {
    const below = await Promise.all(directories.map(subdirectories));
    directories = below.flat().map((path) => (fixed === undefined ? path : join(path, fixed)));
  }
  return directories;
}

/** Lists directories, without links such as `latest`. */
async function subdirectories(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name));
}

/** Without a pause, in which an executor could start in one of the directories. */
function removeEmptyParents(run: string, workDir: string): void {
  const runs = dirname(run);
  if (readdirSync(runs).some((name) => name !== 'latest')) return;
  rmSync(join(runs, 'latest'), { force: true });
  for (let path = runs; path !== join(workDir, 'slaves'); path = dirname(path)) {
    if (readdirSync(path).length > 0) return;
    rmdirSync(path);
  }
}
