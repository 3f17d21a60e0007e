/** The clusters through which a new member joins, one run each. See `member-change.ts` for the order. */

import type { Cluster, Role } from '../cluster/cluster.ts';
import { hostsWith } from '../cluster/topology.ts';
import type { Facts } from './facts.ts';
import { serviceOf } from './health.ts';
import { quorumOf } from './topology.ts';
import { ZOOKEEPER_SERVICE } from './wanted/zookeeper.ts';

/**
 * Returns the cluster in which a new host is only a server of ZooKeeper, and the other masters have the quorum for one
 * master more. Its other roles come afterwards, with the cluster itself.
 */
export function clusterBeforeMaster(cluster: Cluster, name: string, facts: Facts | undefined): Cluster {
  const there = facts ? runningRoles(cluster, facts) : [];
  return withRoles(cluster, name, (role) => role === 'zookeeper' || there.includes(role));
}

/**
 * Returns the cluster in which a new host has all its roles but the master, so that little remains to be installed
 * while the only other master has stopped.
 */
export function clusterWithoutMaster(cluster: Cluster, name: string): Cluster {
  return withRoles(cluster, name, (role) => role !== 'master');
}

function withRoles(cluster: Cluster, name: string, keeps: (role: Role) => boolean): Cluster {
  const masters = hostsWith(cluster, 'master');
  const hosts = cluster.hosts.flatMap((host) => {
    if (host.name !== name) return [host];
    const roles = host.roles.filter(keeps);
    return roles.length === 0 ? [] : [{ ...host, roles }];
  });
  // A second master needs the log of the first one before it counts: see `copyLog`.
  const quorum = String(masters.length === 2 ? 1 : quorumOf(masters.length));
  return { ...cluster, hosts, masterFlags: { quorum, ...cluster.masterFlags } };
}

/**
 * Returns the cluster of one master as it was before the host joins, with ZooKeeper as a single server. Undefined if
 * the ensemble has started already, or the cluster has several masters.
 */
export function clusterWithZooKeeper(
  cluster: Cluster,
  name: string,
  master: Facts | undefined,
): Cluster | undefined {
  const hosts = cluster.hosts.filter((host) => host.name !== name);
  const isStarted = Boolean(master?.services[ZOOKEEPER_SERVICE]?.inputs);
  const rest = { ...cluster, hosts };
  return isStarted || hostsWith(rest, 'master').length !== 1 ? undefined : rest;
}

/** Roles that a first step may have started already. */
const MEMBER_ROLES: readonly Role[] = ['zookeeper', 'master', 'agent', 'scheduler'];

function runningRoles(cluster: Cluster, facts: Facts): Role[] {
  const runs = (role: Role) => {
    const service = facts.services[serviceOf(cluster, role, facts)];
    return (service?.state ?? 'stopped') !== 'stopped';
  };
  return MEMBER_ROLES.filter(runs);
}
