/** Who the cluster's members are to each other: addresses, ZooKeeper's ensemble, the masters. */

import type { Cluster, ClusterHost, Role } from '../cluster/cluster.ts';
import { secretMark } from '../cluster/secrets.ts';
import type { Facts } from './facts.ts';
import type { MarkedText } from './resources.ts';

/** By the hosts' names; a host that could not be reached has none. */
export type FactsByHost = ReadonlyMap<string, Facts>;

/** ZooKeeper's servers among themselves: for following, and for election. */
export const ZOOKEEPER_PEER_PORTS = [2888, 3888] as const;

/** Ours, so that no file of the package is touched. */
export const ZOO_CFG = '/etc/mesosup/zookeeper/zoo.cfg';

export interface Member {
  readonly host: string;
  readonly address: string;
}

export interface ZooKeeperMember extends Member {
  /** What `myid` holds, 1 to 255. */
  readonly id: number;
}

export interface Topology {
  /** By id. Empty: the cluster has no ZooKeeper. */
  readonly zookeepers: readonly ZooKeeperMember[];
  /** By name. */
  readonly masters: readonly Member[];
  /** Where masters meet and agents find them, for Mesos itself: with ZooKeeper it holds a secret. */
  readonly mesos: MarkedText;
  /** The same for readers, who need no secret. */
  readonly mesosForReaders: string;
  /** Where the scheduler's state is; missing without ZooKeeper. */
  readonly scheduler?: MarkedText;
}

/** A member that others have to reach has no known address. */
export class UnknownAddressError extends Error {
  override name = 'UnknownAddressError';
  readonly host: string;

  constructor(host: string) {
    super(`the address of ${host} within the cluster is not known`);
    this.host = host;
  }
}

/** @throws UnknownAddressError of a ZooKeeper host or master */
export function topologyOf(cluster: Cluster, facts: FactsByHost): Topology {
  const zookeepers = zookeeperMembers(cluster, facts);
  const masters = membersWith(cluster, facts, 'master');
  const servers = zookeepers.map(({ address }) => `${address}:${cluster.ports.zookeeper}`).join(',');
  if (servers === '') {
    const direct = masters.map(({ address }) => `${address}:${cluster.ports.master}`).join(',');
    return { zookeepers, masters, mesos: direct, mesosForReaders: direct };
  }
  return {
    zookeepers,
    masters,
    mesos: `zk://mesos:${secretMark('zookeeper-mesos')}@${servers}/mesos`,
    mesosForReaders: `zk://${servers}/mesos`,
    scheduler: `zk://mesosup:${secretMark('zookeeper-scheduler')}@${servers}/mesosup`,
  };
}

/**
 * How the cluster's members reach the host: what the spec says; else the address of the spec, if it is one of the
 * host's own; else its first address. A host alone needs none but loopback. Undefined when it can't be told.
 */
export function addressOf(cluster: Cluster, host: ClusterHost, facts: FactsByHost): string | undefined {
  if (host.privateAddress !== undefined) return host.privateAddress;
  const own = facts.get(host.name)?.addresses;
  if (own === undefined) return guessAddress(cluster, host, facts);
  if (own.includes(host.address)) return host.address;
  return own.find(isIpv4) ?? (cluster.hosts.length === 1 ? '127.0.0.1' : undefined);
}

/** Of a host that can't be asked: the address of the spec, if the ensemble knows it as a member. */
function guessAddress(cluster: Cluster, host: ClusterHost, facts: FactsByHost): string | undefined {
  if (!isIpv4(host.address)) return undefined;
  const known = knownServers(cluster, facts);
  return known.size === 0 || known.has(host.address) ? host.address : undefined;
}

export function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
}

/** More than half of the masters; the least with which two halves can't both decide. */
export function quorumOf(masters: number): number {
  return Math.floor(masters / 2) + 1;
}

/** In an order of names that doesn't depend on that in the spec: h2 before h10. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name.localeCompare(b.name, 'en', { numeric: true }) || (a.name < b.name ? -1 : 1);
}

function membersWith(cluster: Cluster, facts: FactsByHost, role: Role): Member[] {
  return cluster.hosts
    .filter((host) => host.roles.includes(role))
    .toSorted(byName)
    .map((host) => {
      const address = addressOf(cluster, host, facts);
      if (address === undefined) throw new UnknownAddressError(host.name);
      return { host: host.name, address };
    });
}

/**
 * A server keeps its id as long as any of the cluster's hosts has it in its zoo.cfg, whatever hosts come and go: an id
 * that changed would mix up the votes. New servers take the lowest ids that no zoo.cfg knows, by name.
 */
function zookeeperMembers(cluster: Cluster, facts: FactsByHost): ZooKeeperMember[] {
  const members = membersWith(cluster, facts, 'zookeeper');
  const known = knownServers(cluster, facts);
  const used = new Set(known.values());
  const lowest = () => {
    let id = 1;
    while (used.has(id)) id += 1;
    used.add(id);
    return id;
  };
  return members
    .map((member) => ({ ...member, id: known.get(member.address) ?? lowest() }))
    .toSorted((a, b) => a.id - b.id);
}

/** Ids by address, from the zoo.cfg of every host that is this cluster's. */
function knownServers(cluster: Cluster, facts: FactsByHost): Map<string, number> {
  const servers = new Map<string, number>();
  for (const [, host] of [...facts].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (host.mesosup.cluster !== cluster.name) continue;
    const text = host.files[ZOO_CFG]?.text ?? '';
    for (const [, id, address] of text.matchAll(/^server\.(\d+)=([^:\s]+):/gm)) {
      const taken = [...servers.values()].includes(Number(id));
      if (address !== undefined && !servers.has(address) && !taken) servers.set(address, Number(id));
    }
  }
  return servers;
}
