/** Addresses and ports. */

import type { Cluster, ClusterHost, Role } from '../../cluster/cluster.ts';
import { mesosLayout } from '../layout.ts';
import type { Problem } from '../plan.ts';
import type { Targets } from '../probe-targets.ts';
import { addressOf, isIpv4, topologyOf, UnknownAddressError, ZOOKEEPER_PEER_PORTS } from '../topology.ts';
import { SCHEDULER_SERVICE } from '../wanted/scheduler.ts';
import { ZOOKEEPER_SERVICE } from '../wanted/zookeeper.ts';
import { error, type HostCheck, type HostCheckInput, type PreflightInput, warning } from './check.ts';

export const addressCheck: HostCheck = ({ cluster, host, own, facts }) => {
  const address = addressOf(cluster, host, facts);
  const say = 'say privateAddress for it in the spec';
  if (address === undefined) {
    return [
      error(host.name, 'address', 'it has no IPv4 address of its own that others could reach it by', say),
    ];
  }
  if (!isIpv4(address)) {
    return [error(host.name, 'address', `Mesos speaks IPv4 only, and its address is ${address}`, say)];
  }
  if (cluster.hosts.length === 1) return publicWarning(host.name, address);
  if (address.startsWith('127.')) {
    return [error(host.name, 'address', `others can't reach it by the loopback address ${address}`, say)];
  }
  if (own.addresses.includes(address)) return publicWarning(host.name, address);
  const message = `the address ${address} is none of its own (${own.addresses.join(', ') || 'it has none'})`;
  return [error(host.name, 'address', message, say)];
};

/** Networks that no router of the internet forwards to: RFC 1918, 6598, 3927 and 1122. */
const PRIVATE = /^(10|127|192\.168|169\.254|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;

/** HTTP within the cluster isn't encrypted. */
function publicWarning(host: string, address: string): Problem[] {
  if (PRIVATE.test(address)) return [];
  const message = `its address ${address} is public, and HTTP within the cluster is not encrypted`;
  const remedy =
    "set privateAddress for it in the spec, or let a firewall keep strangers from the cluster's ports";
  return [warning(host, 'public', message, remedy)];
}

/** A member of a running ensemble that can't be asked, and of which nobody knows which of the addresses it has. */
export function unknownMembers({ cluster, facts }: PreflightInput): Problem[] {
  try {
    topologyOf(cluster, facts);
    return [];
  } catch (cause) {
    if (!(cause instanceof UnknownAddressError)) throw cause;
    const message = `${cause.message}, and the other hosts have to know it`;
    const remedy = 'set privateAddress for it in the spec, or make the host reachable';
    return [error(cause.host, 'address', message, remedy)];
  }
}

/** Two names of one machine, or one address given to two. */
export function twinCheck({ cluster, facts }: PreflightInput): Problem[] {
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
              'take one of them out of the spec',
            )
          : error(
              host.name,
              'address',
              `its address ${address} is that of ${other} too`,
              'say privateAddress for both in the spec',
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
    if (taken === undefined || own.services[service]?.state === 'running') return [];
    const by = taken.program === '' ? 'another program' : taken.program;
    return [
      error(
        host.name,
        'port',
        `port ${port}, which ${what} needs, is in use by ${by}`,
        `stop ${by} there, or give ${what} another port in the spec`,
      ),
    ];
  });
};

function portsOf({ cluster, host, own }: HostCheckInput) {
  const { master, agent } = mesosLayout(cluster, own);
  const listeners: readonly { role: Role; service: string; what: string }[] = [
    { role: 'zookeeper', service: ZOOKEEPER_SERVICE, what: 'ZooKeeper' },
    { role: 'master', service: master.service, what: 'the Mesos master' },
    { role: 'agent', service: agent.service, what: 'the Mesos agent' },
    { role: 'scheduler', service: SCHEDULER_SERVICE, what: 'the scheduler' },
  ];
  return listeners
    .filter(({ role }) => host.roles.includes(role))
    .flatMap(({ role, service, what }) => rolePorts(cluster, role).map((port) => ({ port, service, what })));
}

function rolePorts({ ports }: Cluster, role: Role): readonly number[] {
  return role === 'zookeeper' ? [ports.zookeeper, ...ZOOKEEPER_PEER_PORTS] : [ports[role]];
}

export function portTargets(cluster: Cluster, { roles }: ClusterHost): Targets {
  return { ports: roles.flatMap((role) => rolePorts(cluster, role)) };
}
