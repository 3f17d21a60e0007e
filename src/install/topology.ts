/** Who the cluster's members are to each other: addresses, ZooKeeper's ensemble, the masters. */

import type { Cluster, ClusterHost, Role } from '../cluster/cluster.ts';
import { type MarkedText, secretMark } from '../cluster/secrets.ts';
import { hostsWith } from '../cluster/topology.ts';
import type { Facts } from './facts.ts';
import { mesosLayout, presentFlag } from './layout.ts';

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

/** A member of a running ensemble can't be asked, and which of the ensemble's addresses is its own isn't known. */
export class UnknownAddressError extends Error {
  override name = 'UnknownAddressError';
  readonly host: string;

  constructor(host: string) {
    super(`the address of ${host} within the cluster is not known`);
    this.host = host;
  }
}

/**
 * On a first install a host that can't be asked may be missing from the members: it joins once it can be asked.
 * @throws UnknownAddressError of a host that a running ensemble may know by an address that can't be told
 */
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

export interface ChosenAddress {
  readonly address: string;
  /** Why this one, for people. */
  readonly why: string;
}

/** As `chooseAddress`, the address alone. */
export function addressOf(cluster: Cluster, host: ClusterHost, facts: FactsByHost): string | undefined {
  return chooseAddress(cluster, host, facts)?.address;
}

/**
 * How the cluster's members reach the host: what the spec says; else the address of the spec, if it is one of the
 * host's own; else the one it was installed with, so that nothing moves with the way by which it is reached; else the
 * one that SSH connects to; else its first. A host alone needs none but loopback. Undefined when it can't be told.
 */
export function chooseAddress(
  cluster: Cluster,
  host: ClusterHost,
  facts: FactsByHost,
): ChosenAddress | undefined {
  if (host.privateAddress !== undefined) return { address: host.privateAddress, why: 'privateAddress' };
  const own = facts.get(host.name);
  if (own === undefined) {
    const address = rememberedAddress(cluster, host, facts);
    return address === undefined ? undefined : { address, why: 'as the other hosts know it' };
  }
  const isOwn = (address: string | undefined) => address !== undefined && own.addresses.includes(address);
  if (isOwn(host.address)) return { address: host.address, why: 'its address in the spec' };
  const installed = installedAddress(cluster, own);
  if (installed !== undefined && isOwn(installed)) return { address: installed, why: 'as it was installed' };
  const { sshAddress } = own;
  if (isIpv4(sshAddress) && isOwn(sshAddress)) return { address: sshAddress, why: 'where SSH connects to' };
  const first = own.addresses.find(isIpv4);
  if (first !== undefined) return { address: first, why: 'its first address' };
  return cluster.hosts.length === 1 ? { address: '127.0.0.1', why: 'it is alone' } : undefined;
}

/** By the flags of its master or agent. */
function installedAddress(cluster: Cluster, facts: Facts): string | undefined {
  if (facts.mesosup.cluster !== cluster.name) return undefined;
  const { kind, master, agent } = mesosLayout(cluster, facts);
  return presentFlag(kind, agent, facts, 'ip') ?? presentFlag(kind, master, facts, 'ip');
}

/**
 * Of a host that can't be asked: the address by which the ensemble knows it; in a cluster without one the address of
 * the spec. Undefined when it can't be told.
 */
function rememberedAddress(cluster: Cluster, host: ClusterHost, facts: FactsByHost): string | undefined {
  const servers = knownServers(cluster, facts);
  const named = servers.find((server) => server.host === host.name);
  if (named) return named.address;
  if (servers.length === 0) return isIpv4(host.address) ? host.address : undefined;
  if (servers.some(({ address }) => address === host.address)) return host.address;
  // The file of an earlier release names no hosts: what is left over belongs to those that can't be asked.
  const silent = hostsWith(cluster, 'zookeeper')
    .filter(({ name }) => !facts.has(name))
    .toSorted(byName);
  const claimed = new Set(
    cluster.hosts.flatMap((one) => one.privateAddress ?? facts.get(one.name)?.addresses ?? one.address),
  );
  const left = servers.filter((server) => server.host === undefined && !claimed.has(server.address));
  return left.length === silent.length ? left[silent.indexOf(host)]?.address : undefined;
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
  const running = knownServers(cluster, facts).length > 0;
  return hostsWith(cluster, role)
    .toSorted(byName)
    .flatMap((host) => {
      const address = addressOf(cluster, host, facts);
      if (address !== undefined) return [{ host: host.name, address }];
      // Left out of a running ensemble, a server that is only away would lose its vote.
      if (running) throw new UnknownAddressError(host.name);
      return [];
    });
}

/**
 * A server keeps its id as long as any of the cluster's hosts has it in its zoo.cfg, whatever hosts come and go: an id
 * that changed would mix up the votes. New servers take the lowest ids that no zoo.cfg knows, by name.
 */
function zookeeperMembers(cluster: Cluster, facts: FactsByHost): ZooKeeperMember[] {
  const members = membersWith(cluster, facts, 'zookeeper');
  const known = new Map(knownServers(cluster, facts).map(({ address, id }) => [address, id]));
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

interface KnownServer {
  readonly id: number;
  readonly address: string;
  /** Missing in the file of an earlier release. */
  readonly host: string | undefined;
}

/** The ensemble's servers, from the zoo.cfg of every host that is this cluster's; of each id and address the first. */
function knownServers(cluster: Cluster, facts: FactsByHost): KnownServer[] {
  const servers: KnownServer[] = [];
  for (const [, host] of [...facts].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (host.mesosup.cluster !== cluster.name) continue;
    const text = host.files[ZOO_CFG]?.text ?? '';
    const names = new Map(
      [...text.matchAll(/^# server\.(\d+) is (\S+)$/gm)].map(([, id, name]) => [id, name]),
    );
    for (const [, id, address = ''] of text.matchAll(/^server\.(\d+)=([^:\s]+):/gm)) {
      const taken = servers.some((server) => server.id === Number(id) || server.address === address);
      if (!taken) servers.push({ id: Number(id), address, host: names.get(id) });
    }
  }
  return servers;
}
