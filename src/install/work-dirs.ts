/** Where Mesos' masters and agents keep their state: the spec's flag `work_dir`, or a directory of ours. */

import type { Cluster, ClusterHost, MesosFlags } from '../cluster/cluster.ts';

/** Holds the executors and, unless the spec says otherwise, all state of Mesos. */
export const MESOS_STATE = '/var/lib/mesos';

const DEFAULTS = { masterFlags: `${MESOS_STATE}/master`, agentFlags: `${MESOS_STATE}/agent` } as const;

type Flags<K extends string> = Readonly<Record<K, MesosFlags>>;

export function masterWorkDir(cluster: Flags<'masterFlags'>, host: Flags<'masterFlags'>): string {
  return workDir('masterFlags', host.masterFlags, cluster.masterFlags);
}

export function agentWorkDir(cluster: Flags<'agentFlags'>, host: Flags<'agentFlags'>): string {
  return workDir('agentFlags', host.agentFlags, cluster.agentFlags);
}

/** The masters' log of the cluster: who has one takes part in its quorum. */
export function replicatedLog(cluster: Cluster, host: ClusterHost): string {
  return `${masterWorkDir(cluster, host)}/replicated_log`;
}

function workDir(key: keyof typeof DEFAULTS, own: MesosFlags, common: MesosFlags): string {
  const flag = own.work_dir ?? common.work_dir;
  return (flag === undefined ? undefined : absolutePath(flag)) ?? DEFAULTS[key];
}

/** The path as the host's files are named; undefined of one that can't hold state, which preflight refuses. */
export function absolutePath(path: string): string | undefined {
  if (!path.startsWith('/') || /\p{Cc}/u.test(path)) return undefined;
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  return names.length === 0 || names.includes('..') ? undefined : `/${names.join('/')}`;
}

/** Where mesosup keeps it unless the spec says otherwise, today or when the host was installed. */
export const USUAL_STATE: readonly string[] = [MESOS_STATE, ...Object.values(DEFAULTS)];

/** True of a directory that the spec names: it may be there before us, as a mount point is, and is its owner's then. */
export function isOwnersChoice(path: string): boolean {
  return !USUAL_STATE.includes(path);
}
