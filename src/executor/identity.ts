/** How containers carry whose they are: labels, and names that are the same after a crash. */

import { createHash } from 'node:crypto';
import path from 'node:path';
import type { ExecutorEnvironment } from '../mesos/executor-environment.ts';
import type { ExecutorInfo } from '../mesos/types.ts';

export const LABELS = {
  /** Keeps apart the clusters that use one Docker engine. */
  cluster: 'mesosup.cluster',
  framework: 'mesosup.framework',
  agent: 'mesosup.agent',
  executor: 'mesosup.executor',
  /** One life of the executor in Mesos: the last segment of its sandbox. */
  run: 'mesosup.run',
  sandbox: 'mesosup.sandbox',
  task: 'mesosup.task',
} as const;

/** One run of one executor, as labels. */
export interface Identity {
  /** Of every container of this executor, whatever the run. */
  executor: Record<string, string>;
  /** What tells this run from others. */
  run: Record<string, string>;
}

export function identityOf(environment: ExecutorEnvironment): Identity {
  const executor = {
    [LABELS.framework]: environment.frameworkId,
    [LABELS.agent]: environment.agentId,
    [LABELS.executor]: environment.executorId,
  };
  const run = { [LABELS.run]: path.basename(environment.directory), [LABELS.sandbox]: environment.directory };
  return { executor, run };
}

/** The cluster that the scheduler put in the labels of its ExecutorInfo; `default` for other frameworks. */
export function clusterOf(info: ExecutorInfo): string {
  return info.labels?.labels.find((label) => label.key === LABELS.cluster)?.value ?? 'default';
}

/** By which a task's container is found. */
export function taskLabels(identity: Identity, taskId: string): Record<string, string> {
  return { ...identity.executor, ...identity.run, [LABELS.task]: taskId };
}

/** The name of a task's container: creating it twice is refused by Docker. */
export function containerName(identity: Identity, taskId: string): string {
  const run = (identity.run[LABELS.run] ?? '').replace(/[^A-Za-z0-9_.-]/g, '_');
  return `mesosup-${run}-${hashOf(taskId)}`;
}

/** A short name for a task that any file system takes. */
export function hashOf(taskId: string): string {
  return createHash('sha256').update(taskId).digest('hex').slice(0, 16);
}
