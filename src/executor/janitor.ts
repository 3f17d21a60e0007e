/** Removes containers whose executor is gone for good: its supervisor is no more, so nobody will ever adopt them. */

import type { ContainerSummary, DockerEngine } from '../docker/engine.ts';
import { LABELS } from './identity.ts';
import type { Log } from './log.ts';
import { supervisorState } from './supervisor-pid.ts';

/** Of a container without a supervisor's file: it may be about to be written. */
const YOUNG_S = 60;

export interface JanitorOptions {
  engine: DockerEngine;
  /** Only containers of this cluster; of all clusters where undefined. */
  cluster: string | undefined;
  log: Log;
}

/**
 * One round.
 * @returns the ids of the containers removed
 * @throws DockerUnavailableError | DockerError where the containers can't be listed
 */
export async function removeOrphans(options: JanitorOptions): Promise<string[]> {
  const { engine, cluster, log } = options;
  const found = await engine.listContainers({ [LABELS.cluster]: cluster, [LABELS.sandbox]: undefined });
  const removed: string[] = [];
  for (const container of found) {
    if (!(await isOrphan(container))) continue;
    log({ msg: 'removing an orphaned container', container: container.Id, labels: container.Labels });
    try {
      await engine.removeContainer(container.Id);
      removed.push(container.Id);
    } catch (error) {
      log({ level: 'error', msg: 'not removed', container: container.Id, reason: String(error) });
    }
  }
  return removed;
}

async function isOrphan(container: ContainerSummary): Promise<boolean> {
  const supervisor = await supervisorState(container.Labels[LABELS.sandbox] ?? '');
  if (supervisor !== 'unknown') return supervisor === 'gone';
  return Date.now() / 1000 - container.Created > YOUNG_S;
}
