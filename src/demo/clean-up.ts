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
/** Longer than the engine takes to make a container. */
const CREATE_MS = 300;

/**
 * Takes away all there is of the demo in `dir`: its processes, then its containers, its link and its directory.
 * Processes go first, since they would start the containers anew. May be run again, or on half of a demo.
 *
 * @param state what is known of the demo; where it is not, only processes, containers and directory are looked for
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

/** Looks twice, since a create call that was under way when its caller was killed is carried out all the same. */
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
    // Without an engine there is nothing of ours that runs; what it finds when it starts, it does not restart.
    if (!(error instanceof DockerUnavailableError)) throw error;
  }
}

/**
 * The processes that were started with the demo's mark, and all of the sessions that these began (an executor's
 * docker program has no environment of ours); this one excepted.
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
    // Another user's, or it ended by itself in between.
    return [];
  }
}
