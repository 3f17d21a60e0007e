/** Paths of an agent's files, in Mesos' layout. Pure. */

import { join, resolve } from 'node:path';
import type { DiskInfo } from '../../mesos/types.ts';

export interface ExecutorNames {
  agentId: string;
  frameworkId: string;
  executorId: string;
}

/** `slaves/<agent>/frameworks/<framework>/executors/<executor>` below a root. */
export function executorPath(root: string, names: ExecutorNames): string {
  const { agentId, frameworkId, executorId } = names;
  return join(root, 'slaves', agentId, 'frameworks', frameworkId, 'executors', executorId);
}

/** The sandbox of a run. */
export function sandboxPath(workDir: string, names: ExecutorNames, containerId: string): string {
  return join(executorPath(workDir, names), 'runs', containerId);
}

/** A persistent volume: `volumes/roles/<role>/<id>` in the work directory or on its disk, or a mount point. Relative roots are in the work directory. */
export function volumePath(workDir: string, role: string, { source, persistence }: DiskInfo): string {
  const parts = [role.replaceAll('/', ' '), persistence?.id ?? ''];
  const root = resolve(workDir, source?.path?.root ?? source?.mount?.root ?? '');
  return source?.type === 'MOUNT' ? root : join(root, 'volumes', 'roles', ...parts);
}

/** The root of the checkpoints. */
export function metaPath(workDir: string): string {
  return join(workDir, 'meta');
}

/** The link to the directory of the current agent; the last segment of its target is the agent's id. */
export function latestPath(workDir: string): string {
  return join(metaPath(workDir), 'slaves', 'latest');
}
