/** Chooses hosts of a cluster by name and role. */

import { UsageError } from '../errors/mesosup-error.ts';
import { didYouMean } from '../text/suggest.ts';
import type { Cluster, ClusterHost, Role } from './cluster.ts';

export interface HostChoice {
  /** Names; undefined for all hosts. */
  readonly names?: readonly string[] | undefined;
  /** Hosts with at least one of these roles; undefined for all roles. */
  readonly roles?: readonly Role[] | undefined;
}

/** @returns the hosts with one of the names and one of the roles, in the spec's order @throws UsageError if there are none */
export function chooseHosts(cluster: Cluster, { names, roles }: HostChoice): ClusterHost[] {
  for (const name of names ?? []) hostNamed(cluster, name);
  const chosen = cluster.hosts.filter(
    (host) =>
      (names === undefined || names.includes(host.name)) &&
      (roles === undefined || roles.some((role) => host.roles.includes(role))),
  );
  if (chosen.length > 0) return chosen;
  throw new UsageError(
    `no ${names === undefined ? 'host' : 'named host'} of ${cluster.name} has the role ${(roles ?? []).join(' or ')}`,
    { remedy: 'List the hosts and their roles with: mesosup node list' },
  );
}

/** @throws UsageError that names the hosts of the cluster */
export function hostNamed(cluster: Cluster, name: string): ClusterHost {
  const found = cluster.hosts.find((host) => host.name === name);
  if (found) return found;
  const names = cluster.hosts.map((host) => host.name);
  throw new UsageError(`${cluster.name} has no host "${name}"${didYouMean(name, names)}`, {
    remedy: `Its hosts are: ${names.join(', ')}`,
  });
}
