import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DockerUnavailableError } from '../docker/connection.ts';
import { DockerEngine } from '../docker/engine.ts';
import { identify, killNow, listProcessIds, readStat } from '../proc/process-id.ts';
import { MARK } from './demo-plan.ts';
import type { DemoState } from './directory.ts';
import { removeLink } from './executor-link.ts';

const PAUSE_MS = 20;
/** Longer than the Docker engine takes to create a container. */
const CREATE_MS = 300;

/**
 * Removes the demo in `dir`: its processes, then its containers, its link and its directory. Processes come first,
 * because they would start the containers again. Safe to repeat, and to run on an incomplete demo.
 *
 * @param state the demo's state; without it, the link is left alone
 */
export async function cleanUp(dir: string, state: DemoState | undefined): Promise<void> {
  for (;;) {
    const pids = markedProcesses(dir);
    if (pids.length === 0) break;
    for (const pid of pids) killNow(pid);
    await sleep(PAUSE_MS);
  }
  await removeContainers(state?.cluster ?? path.basename(dir));
  if (state?.link) await removeLink(state.link);
  await rm(dir, { recursive: true, force: true });
}

/** Checks twice: the engine completes a create call even if its caller is killed during the call. */
async function removeContainers(cluster: string): Promise<void> {
  const engine = new DockerEngine();
  try {
    for (let empty = 0; empty < 2; ) {
      const containers = await engine.listContainers({ 'mesosup.cluster': cluster });
      await Promise.all(containers.map((container) => engine.removeContainer(container.Id)));
      empty = containers.length === 0 ? empty + 1 : 0;
      if (empty < 2) await sleep(CREATE_MS);
    }
  } catch (error) {
    // Without a Docker engine no container runs, and the engine does not restart the demo's containers when it starts.
    if (!(error instanceof DockerUnavailableError)) throw error;
  }
}

/**
 * The processes with the demo's mark in their environment, and all processes in sessions that they started (the docker
 * program of an executor does not have this environment), except this process.
 */
function markedProcesses(dir: string): number[] {
  const alive = listProcessIds().filter((pid) => pid !== process.pid && identify(pid));
  const marked = new Set(alive.filter((pid) => environment(pid).includes(`${MARK}=${dir}`)));
  return alive.filter((pid) => marked.has(pid) || marked.has(readStat(pid)?.session ?? 0));
}

function environment(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    // The process belongs to another user, or has just ended.
    return [];
  }
}
