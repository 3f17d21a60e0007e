/** Work directories of Mesos' masters and agents: the spec's flag `work_dir`, or mesosup's default. */

import type { Cluster, ClusterHost, MesosFlags } from '../cluster/cluster.ts';

/** Contains the executors and, by default, all state of Mesos. */
export const MESOS_STATE = '/var/lib/mesos';

const DEFAULTS = { masterFlags: `${MESOS_STATE}/master`, agentFlags: `${MESOS_STATE}/agent` } as const;

type Flags<K extends string> = Readonly<Record<K, MesosFlags>>;

export function masterWorkDir(cluster: Flags<'masterFlags'>, host: Flags<'masterFlags'>): string {
  return workDir('masterFlags', host.masterFlags, cluster.masterFlags);
}

export function agentWorkDir(cluster: Flags<'agentFlags'>, host: Flags<'agentFlags'>): string {
  return workDir('agentFlags', host.agentFlags, cluster.agentFlags);
}

/** Returns the path of a master's replicated log. A master with this log takes part in the quorum. */
export function replicatedLog(cluster: Cluster, host: ClusterHost): string {
  return `${masterWorkDir(cluster, host)}/replicated_log`;
}

function workDir(key: keyof typeof DEFAULTS, own: MesosFlags, common: MesosFlags): string {
  const flag = own.work_dir ?? common.work_dir;
  return (flag === undefined ? undefined : absolutePath(flag)) ?? DEFAULTS[key];
}

/** Normalizes an absolute path. Undefined for a path that can't be a work directory, which preflight refuses. */
export function absolutePath(path: string): string | undefined {
  if (!path.startsWith('/') || /\p{Cc}/u.test(path)) return undefined;
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  return names.length === 0 || names.includes('..') ? undefined : `/${names.join('/')}`;
}

/** The default directories. */
export const DEFAULT_STATE_DIRECTORIES: readonly string[] = [MESOS_STATE, ...Object.values(DEFAULTS)];

/** True of a directory that the spec sets. It may exist before mesosup, like a mount point; then its owner keeps it. */
export function isCustomDirectory(path: string): boolean {
  return !DEFAULT_STATE_DIRECTORIES.includes(path);
}
