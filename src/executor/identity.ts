/** Labels that identify the owner of a container, and container names that stay the same after a crash. */

import { createHash } from 'node:crypto';
import path from 'node:path';
import type { ExecutorEnvironment } from '../mesos/executor-environment.ts';
import type { ExecutorInfo } from '../mesos/types.ts';

export const LABELS = {
  /** Separates clusters that share one Docker engine. */
  cluster: 'mesosup.cluster',
  framework: 'mesosup.framework',
  agent: 'mesosup.agent',
  executor: 'mesosup.executor',
  /** The run of the executor in Mesos: the last segment of its sandbox. */
  run: 'mesosup.run',
  sandbox: 'mesosup.sandbox',
  task: 'mesosup.task',
} as const;

/** One run of one executor, as labels. */
export interface Identity {
  /** Labels of every container of this executor, in all runs. */
  executor: Record<string, string>;
  /** Labels that distinguish this run. */
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

/** Reads the cluster's name from the labels of the ExecutorInfo; `default` for other frameworks. */
export function clusterOf(info: ExecutorInfo): string {
  return info.labels?.labels.find((label) => label.key === LABELS.cluster)?.value ?? 'default';
}

/** Labels that select a task's container. */
export function taskLabels(identity: Identity, taskId: string): Record<string, string> {
  return { ...identity.executor, ...identity.run, [LABELS.task]: taskId };
}

/** Derives the name of a task's container. Docker refuses to create two containers of one name. */
export function containerName(identity: Identity, taskId: string): string {
  const run = (identity.run[LABELS.run] ?? '').replace(/[^A-Za-z0-9_.-]/g, '_');
  return `mesosup-${run}-${hashOf(taskId)}`;
}

/** Shortens a task id to a name that is valid on any file system. */
export function hashOf(taskId: string): string {
  return createHash('sha256').update(taskId).digest('hex').slice(0, 16);
}
