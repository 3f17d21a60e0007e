/** URLs at which this machine reaches the masters and schedulers of a cluster. */

import type { Cluster, ClusterHost } from './cluster.ts';

export interface ClusterUrls {
  readonly schedulers: readonly string[];
  readonly masters: readonly string[];
  /** `NAME ADDRESS` of each host; only with monitoring, since earlier releases refuse this field. */
  readonly hosts?: readonly string[];
}

/**
 * Members of an installed cluster listen on all addresses.
 * @param addresses of hosts as the installer found them: a name in the spec may be one that only SSH's configuration knows
 */
export function urlsOfCluster(
  cluster: Cluster,
  addresses: Readonly<Record<string, string>>,
  scheme: 'http' | 'https' = 'http',
): ClusterUrls {
  const { hosts, ports } = cluster;
  const urls = (role: 'master' | 'scheduler') => {
    const found = hosts
      .filter(({ roles }) => roles.includes(role))
      .map((host) => addressesOf(host, addresses[host.name]));
    // The second addresses are tried after the first ones of all hosts.
    const inOrder = [
      ...found.flatMap(([first]) => first ?? []),
      ...found.flatMap(([, second]) => second ?? []),
    ];
    return inOrder.map((one) => `${scheme}://${one.includes(':') ? `[${one}]` : one}:${ports[role]}`);
  };
  const list = hosts.map((host) => `${host.name} ${addressesOf(host, addresses[host.name])[0]}`);
  return {
    schedulers: urls('scheduler'),
    masters: urls('master'),
    ...(cluster.monitoring && { hosts: list }),
  };
}

/** Returns the address at which this machine reaches the host. @param urls of the last install */
export function reachableAddress(host: ClusterHost, urls: ClusterUrls | undefined): string {
  const kept = urls?.hosts?.find((line) => line.startsWith(`${host.name} `));
  return kept?.slice(host.name.length + 1) ?? addressesOf(host, undefined)[0] ?? host.address;
}

function addressesOf(host: ClusterHost, found: string | undefined): readonly string[] {
  const { connection, privateAddress, address } = host;
  if (connection.kind === 'local') return ['127.0.0.1'];
  if (privateAddress !== undefined) return [privateAddress];
  if (found === undefined || isIpAddress(address)) return [address];
  // A name with a domain may lead to an address that is reachable from outside.
  return address.includes('.') ? [address, found] : [found];
}

function isIpAddress(address: string): boolean {
  return address.includes(':') || /^\d+(\.\d+){3}$/.test(address);
}
