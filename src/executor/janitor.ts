/** Removes containers whose executor's supervisor has ended, since no worker will adopt them. */

import type { ContainerSummary, DockerEngine } from '../docker/engine.ts';
import { LABELS } from './identity.ts';
import type { Log } from './log.ts';
import { supervisorState } from './supervisor-pid.ts';

/** A younger container without a supervisor's file is kept: the file may not be written yet. */
const MIN_AGE_S = 60;

export interface JanitorOptions {
  engine: DockerEngine;
  /** Only containers of this cluster; undefined for all clusters. */
  cluster: string | undefined;
  /** Only logs what would be removed. */
  dryRun?: boolean;
  log: Log;
}

/**
 * Removes orphaned containers once.
 * @returns the ids of the removed containers; in a dry run, the ids of the containers that would be removed
 * @throws DockerUnavailableError | DockerError if the containers can't be listed
 */
export async function removeOrphans(options: JanitorOptions): Promise<string[]> {
  const { engine, cluster, dryRun, log } = options;
  const found = await engine.listContainers({ [LABELS.cluster]: cluster, [LABELS.sandbox]: undefined });
  const removed: string[] = [];
  for (const container of found) {
    if (!(await isOrphan(container))) continue;
    const msg = dryRun ? 'would remove an orphaned container' : 'removing an orphaned container';
    log({ msg, container: container.Id, labels: container.Labels });
    if (dryRun) {
      removed.push(container.Id);
      continue;
    }
    try {
      await engine.removeContainer(container.Id);
      removed.push(container.Id);
    } catch (error) {
      log({
        level: 'error',
        msg: 'cannot remove an orphaned container',
        container: container.Id,
        reason: String(error),
      });
    }
  }
  return removed;
}

async function isOrphan(container: ContainerSummary): Promise<boolean> {
  const supervisor = await supervisorState(container.Labels[LABELS.sandbox] ?? '');
  if (supervisor !== 'unknown') return supervisor === 'gone';
  return Date.now() / 1000 - container.Created > MIN_AGE_S;
}
