/** Types and helpers shared by the preflight checks. */

import type { Cluster, ClusterHost } from '../../cluster/cluster.ts';
import type { Facts } from '../facts.ts';
import type { MemberChange } from '../member-change.ts';
import type { Problem } from '../plan.ts';
import type { FactsByHost } from '../topology.ts';

export interface PreflightInput {
  readonly cluster: Cluster;
  /** Facts of the hosts that answered the probe. */
  readonly facts: FactsByHost;
  readonly payload: {
    /** Size of the archive. */
    readonly bytes: number;
    /** dpkg's name of the architecture that the runtime is built for; not checked when it is missing. */
    readonly arch?: string;
  };
  /** Packages that were on the hosts before mesosup, which apt may remove or downgrade. */
  readonly allowRemove?: readonly string[];
  readonly member?: MemberChange | undefined;
}

export interface HostCheckInput extends PreflightInput {
  readonly host: ClusterHost;
  readonly own: Facts;
}

export type HostCheck = (input: HostCheckInput) => readonly Problem[];

export function error(host: string, check: string, message: string, remedy: string): Problem {
  return { host, check, message, remedy, severity: 'error' };
}

export function warning(host: string, check: string, message: string, remedy: string): Problem {
  return { host, check, message, remedy, severity: 'warning' };
}
