/** Checks addresses and ports. */

import type { Cluster, ClusterHost, Role } from '../../cluster/cluster.ts';
import { lbPorts } from '../../cluster/lb-flags.ts';
import { isMonitored } from '../../cluster/topology.ts';
import { mesosLayout } from '../layout.ts';
import type { Problem } from '../plan.ts';
import type { Targets } from '../probe-targets.ts';
import { addressOf, isIpv4, topologyOf, UnknownAddressError, ZOOKEEPER_PEER_PORTS } from '../topology.ts';
import { LB_SERVICE } from '../wanted/lb.ts';
import { MONITORING_SERVICE } from '../wanted/monitoring.ts';
import { SCHEDULER_SERVICE } from '../wanted/scheduler.ts';
import { ZOOKEEPER_SERVICE } from '../wanted/zookeeper.ts';
import { error, type HostCheck, type HostCheckInput, type PreflightInput, warning } from './check.ts';

export const addressCheck: HostCheck = ({ cluster, host, own, facts }) => {
  const address = addressOf(cluster, host, facts);
  const remedy = 'Set privateAddress for the host in the cluster file.';
  if (address === undefined) {
    return [error(host.name, 'address', 'the host has no IPv4 address that other hosts can reach', remedy)];
  }
  if (!isIpv4(address)) {
    return [error(host.name, 'address', `Mesos supports IPv4 only, but its address is ${address}`, remedy)];
  }
  if (cluster.hosts.length === 1) return publicWarning(host.name, address);
  if (address.startsWith('127.')) {
    const message = `other hosts can't reach it at the loopback address ${address}`;
    return [error(host.name, 'address', message, remedy)];
  }
  if (own.addresses.includes(address)) return publicWarning(host.name, address);
  const message = `the address ${address} is not one of the host's own addresses (${own.addresses.join(', ') || 'none'})`;
  return [error(host.name, 'address', message, remedy)];
};

/** Networks that are not routed on the internet: RFC 1918, 6598, 3927 and 1122. */
const PRIVATE = /^(10|127|192\.168|169\.254|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;

/** Without TLS nothing within the cluster is encrypted, and with it ZooKeeper's connections are not. */
function publicWarning(host: string, address: string): Problem[] {
  if (PRIVATE.test(address)) return [];
  const message = `its address ${address} is public, but not all connections within the cluster are encrypted`;
  const remedy =
    "Set privateAddress for the host in the cluster file, or protect the cluster's ports with a firewall.";
  return [warning(host, 'public', message, remedy)];
}

/** Reports an unreachable member of a running ensemble whose address can't be determined. */
export function unknownMembers({ cluster, facts }: PreflightInput): Problem[] {
  try {
    topologyOf(cluster, facts);
    return [];
  } catch (cause) {
    if (!(cause instanceof UnknownAddressError)) throw cause;
    const message = `${cause.message}, but the other hosts need it`;
    const remedy = 'Set privateAddress for the host in the cluster file, or make the host reachable.';
    return [error(cause.host, 'address', message, remedy)];
  }
}

/** Reports two names of the same machine, and an address that two hosts share. */
export function duplicateCheck({ cluster, facts }: PreflightInput): Problem[] {
  const seen = new Map<string, string>();
  const problems: Problem[] = [];
  for (const host of cluster.hosts) {
    const own = facts.get(host.name);
    const address = addressOf(cluster, host, facts);
    const machine =
      own && own.addresses.length > 0 ? `${own.hostname} ${own.addresses.join(' ')}` : undefined;
    const keys = [machine, address].filter((key) => key !== undefined);
    const other = keys.map((key) => seen.get(key)).find((name) => name !== undefined);
    if (other !== undefined) {
      const same = machine !== undefined && seen.get(machine) === other;
      problems.push(
        same
          ? error(
              host.name,
              'machine',
              `it is the same machine as ${other}`,
              'Remove one of the two hosts from the cluster file.',
            )
          : error(
              host.name,
              'address',
              `it has the same address as ${other}: ${address}`,
              'Set privateAddress for both hosts in the cluster file.',
            ),
      );
    }
    for (const key of keys) if (!seen.has(key)) seen.set(key, host.name);
  }
  return problems;
}

export const portCheck: HostCheck = (input) => {
  const { host, own } = input;
  return portsOf(input).flatMap(({ port, service, what }) => {
    const taken = own.listeners.find((one) => one.port === port);
    const state = own.services[service]?.state ?? 'stopped';
    // haproxy keeps running while its program is down.
    const isOwn = state === 'running' || (service === LB_SERVICE && state !== 'stopped');
    if (taken === undefined || isOwn) return [];
    const by = taken.program === '' ? 'another program' : taken.program;
    return [
      error(
        host.name,
        'port',
        `port ${port}, which ${what} needs, is in use by ${by}`,
        `Stop ${by} on the host, or set another port for ${what} in the cluster file.`,
      ),
    ];
  });
};

function portsOf({ cluster, host, own }: HostCheckInput): { port: number; service: string; what: string }[] {
  const { master, agent } = mesosLayout(cluster, own);
  const listeners: readonly { role: Role; service: string; what: string }[] = [
    { role: 'zookeeper', service: ZOOKEEPER_SERVICE, what: 'ZooKeeper' },
    { role: 'master', service: master.service, what: 'the Mesos master' },
    { role: 'agent', service: agent.service, what: 'the Mesos agent' },
    { role: 'scheduler', service: SCHEDULER_SERVICE, what: 'the scheduler' },
    { role: 'lb', service: LB_SERVICE, what: 'the load balancer' },
  ];
  const roles = listeners
    .filter(({ role }) => host.roles.includes(role))
    .flatMap(({ role, service, what }) => rolePorts(cluster, role).map((port) => ({ port, service, what })));
  const exporters = exporterPorts(cluster, host).map((port) => ({
    port,
    service: MONITORING_SERVICE,
    what: 'monitoring',
  }));
  return [...roles, ...exporters];
}

function rolePorts({ lbFlags, ports }: Cluster, role: Role): readonly number[] {
  if (role === 'lb') return Object.values(lbPorts(lbFlags));
  return role === 'zookeeper' ? [ports.zookeeper, ...ZOOKEEPER_PEER_PORTS] : [ports[role]];
}

function exporterPorts(cluster: Cluster, host: ClusterHost): readonly number[] {
  return cluster.monitoring && isMonitored(cluster, host) ? [cluster.monitoring.port] : [];
}

export function portTargets(cluster: Cluster, host: ClusterHost): Targets {
  const ports = host.roles.flatMap((role) => rolePorts(cluster, role));
  return { ports: [...ports, ...exporterPorts(cluster, host)] };
}
