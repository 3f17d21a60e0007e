/** What the checks of one host or of all have in common. */

import type { Cluster, ClusterHost } from '../../cluster/cluster.ts';
import type { Facts } from '../facts.ts';
import type { Problem } from '../plan.ts';
import type { FactsByHost } from '../topology.ts';

export interface PreflightInput {
  readonly cluster: Cluster;
  /** Of the hosts that could be asked. */
  readonly facts: FactsByHost;
  readonly payload: {
    /** Of the archive. */
    readonly bytes: number;
    /** As dpkg names what its runtime is built for; not checked without it. */
    readonly arch?: string;
  };
  /** Packages of the owner's that apt may remove or downgrade. */
  readonly allowRemove?: readonly string[];
}

export interface HostCheckInput extends PreflightInput {
  readonly host: ClusterHost;
  readonly own: Facts;
}

export type HostCheck = (input: HostCheckInput) => readonly Problem[];

export function isMesos({ roles }: ClusterHost): boolean {
  return roles.includes('master') || roles.includes('agent');
}

/** Runs this program's own runtime. */
export function isOurs({ roles }: ClusterHost): boolean {
  return roles.includes('scheduler') || roles.includes('agent');
}

export function error(host: string, check: string, message: string, remedy: string): Problem {
  return { host, check, message, remedy, severity: 'error' };
}

export function warning(host: string, check: string, message: string, remedy: string): Problem {
  return { host, check, message, remedy, severity: 'warning' };
}
