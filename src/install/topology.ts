/** Determines the members of a cluster: their addresses, ZooKeeper's ensemble, the masters. */

import type { Cluster, ClusterHost, Role } from '../cluster/cluster.ts';
import { importedOf, type MarkedText, type Secrets, secretMark } from '../cluster/secrets.ts';
import { hostsWith } from '../cluster/topology.ts';
import type { Facts } from './facts.ts';
import { mesosLayout, presentFlag } from './layout.ts';

/** By host, without unreachable hosts. */
export type FactsByHost = ReadonlyMap<string, Facts>;

/** @throws TypeError for a host that was not probed */
export function factsOf(facts: FactsByHost, name: string): Facts {
  const own = facts.get(name);
  if (own === undefined) throw new TypeError(`there are no facts of ${name}`);
  return own;
}

/** Ports between ZooKeeper's servers: for followers, and for elections. */
export const ZOOKEEPER_PEER_PORTS = [2888, 3888] as const;

/** A file of mesosup, so that no file of the package is changed. */
export const ZOO_CFG = '/etc/mesosup/zookeeper/zoo.cfg';

export interface Member {
  readonly host: string;
  readonly address: string;
}

export interface ZooKeeperMember extends Member {
  /** The content of `myid`, 1 to 255. */
  readonly id: number;
}

export interface Topology {
  /** Sorted by id. Empty: mesosup manages no ZooKeeper. */
  readonly zookeepers: readonly ZooKeeperMember[];
  /** True if ZooKeeper elects the leading master, whoever manages ZooKeeper. */
  readonly usesZooKeeper: boolean;
  /** Sorted by name. */
  readonly masters: readonly Member[];
  /** Address for Mesos' masters and agents: ZooKeeper's URL, with a secret, or the single master. */
  readonly mesos: MarkedText;
  /** The same for readers, without a secret. */
  readonly mesosForReaders: string;
  /** ZooKeeper's URL of the scheduler's state; missing without ZooKeeper. */
  readonly scheduler?: MarkedText;
}

/** A member of a running ensemble is unreachable, and its address in the ensemble isn't known. */
export class UnknownAddressError extends Error {
  override name = 'UnknownAddressError';
  readonly host: string;

  constructor(host: string) {
    super(`the address of ${host} within the cluster is not known`);
    this.host = host;
  }
}

/**
 * On a first install, an unreachable host may be missing from the members: it joins in a later run.
 * @param secrets for the user of a ZooKeeper that others manage
 * @throws UnknownAddressError for a host that a running ensemble may know by an address that isn't known here
 */
export function topologyOf(cluster: Cluster, facts: FactsByHost, secrets?: Secrets): Topology {
  const zookeepers = zookeeperMembers(cluster, facts);
  const masters = membersWith(cluster, facts, 'master');
  const servers = zookeepers.map(({ address }) => `${address}:${cluster.ports.zookeeper}`).join(',');
  if (cluster.zookeeper !== undefined) {
    const [user] = secrets ? importedOf(secrets, 'zookeeper') : [];
    const plain = cluster.zookeeper.slice('zk://'.length);
    return {
      zookeepers,
      masters,
      usesZooKeeper: true,
      mesos: user ? `zk://${user.principal}:${user.secret}@${plain}` : cluster.zookeeper,
      mesosForReaders: cluster.zookeeper,
      scheduler: `zk://mesosup:${secretMark('zookeeper-scheduler')}@${plain.split('/')[0]}/mesosup`,
    };
  }
  if (servers === '') {
    const direct = masters.map(({ address }) => `${address}:${cluster.ports.master}`).join(',');
    return { zookeepers, masters, usesZooKeeper: false, mesos: direct, mesosForReaders: direct };
  }
  return {
    zookeepers,
    masters,
    usesZooKeeper: true,
    mesos: `zk://mesos:${secretMark('zookeeper-mesos')}@${servers}/mesos`,
    mesosForReaders: `zk://${servers}/mesos`,
    scheduler: `zk://mesosup:${secretMark('zookeeper-scheduler')}@${servers}/mesosup`,
  };
}

export interface ChosenAddress {
  readonly address: string;
  /** The reason for the choice, as text for people. */
  readonly why: string;
}

/** Like `chooseAddress`, without the reason. */
export function addressOf(cluster: Cluster, host: ClusterHost, facts: FactsByHost): string | undefined {
  return chooseAddress(cluster, host, facts)?.address;
}

/**
 * Chooses the address by which the cluster's members reach the host, in this order: `privateAddress` of the spec;
 * `address` of the spec, if it is one of the host's own; the address that the host was installed with, so that it does
 * not depend on the way by which SSH reaches the host; the address that SSH connects to; the host's first address. A
 * single host can use loopback. Undefined when the address isn't known.
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
    return address === undefined ? undefined : { address, why: 'known to the other hosts' };
  }
  const isOwn = (address: string | undefined) => address !== undefined && own.addresses.includes(address);
  if (isOwn(host.address)) return { address: host.address, why: 'address in the spec' };
  const installed = installedAddress(cluster, own);
  if (installed !== undefined && isOwn(installed)) return { address: installed, why: 'used at installation' };
  const { sshAddress } = own;
  if (isIpv4(sshAddress) && isOwn(sshAddress))
    return { address: sshAddress, why: 'address of the SSH connection' };
  const first = own.addresses.find(isIpv4);
  if (first !== undefined) return { address: first, why: 'first address of the host' };
  return cluster.hosts.length === 1 ? { address: '127.0.0.1', why: 'single host' } : undefined;
}

/** Reads the address from the flags of the host's master or agent. */
function installedAddress(cluster: Cluster, facts: Facts): string | undefined {
  if (facts.mesosup.cluster !== cluster.name) return undefined;
  const { kind, master, agent } = mesosLayout(cluster, facts);
  return presentFlag(kind, agent, facts, 'ip') ?? presentFlag(kind, master, facts, 'ip');
}

/**
 * Returns the address of an unreachable host: the one that the ensemble knows, or in a cluster without an ensemble the
 * one in the spec. Undefined when it isn't known.
 */
function rememberedAddress(cluster: Cluster, host: ClusterHost, facts: FactsByHost): string | undefined {
  const servers = knownServers(cluster, facts);
  const named = servers.find((server) => server.host === host.name);
  if (named) return named.address;
  if (servers.length === 0) return isIpv4(host.address) ? host.address : undefined;
  if (servers.some(({ address }) => address === host.address)) return host.address;
  // The file of an earlier release names no hosts: the remaining addresses belong to the unreachable hosts.
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

/** Returns the smallest majority of the masters. */
export function quorumOf(masters: number): number {
  return Math.floor(masters / 2) + 1;
}

/** Compares names independently of their order in the spec: h2 comes before h10. */
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
      // If it were left out of a running ensemble, a server that is only down would lose its vote.
      if (running) throw new UnknownAddressError(host.name);
      return [];
    });
}

/**
 * A server keeps its id as long as any host of the cluster has it in its zoo.cfg, since a changed id would confuse the
 * votes. A server that replaces one of a removed host takes its id, so that it has its vote at once. Other new servers,
 * sorted by name, take the lowest ids that no zoo.cfg contains.
 */
function zookeeperMembers(cluster: Cluster, facts: FactsByHost): ZooKeeperMember[] {
  const members = membersWith(cluster, facts, 'zookeeper');
  const servers = knownServers(cluster, facts);
  const known = new Map(servers.map(({ address, id }) => [address, id]));
  const fresh = members.filter(({ address }) => !known.has(address));
  const vacant = servers.filter(
    ({ host, address }) =>
      host !== undefined &&
      !cluster.hosts.some(({ name }) => name === host) &&
      !members.some((member) => member.address === address),
  );
  const [heir] = fresh;
  const [left] = vacant;
  if (heir && left && fresh.length === 1 && vacant.length === 1) known.set(heir.address, left.id);
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

export interface KnownServer {
  readonly id: number;
  readonly address: string;
  /** Missing in the file of an earlier release. */
  readonly host: string | undefined;
}

/**
 * Reads the ensemble's servers from the zoo.cfg of every host of the cluster; the first entry of an id or address wins.
 */
function knownServers(cluster: Cluster, facts: FactsByHost): KnownServer[] {
  const servers: KnownServer[] = [];
  for (const [, host] of [...facts].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (host.mesosup.cluster !== cluster.name) continue;
    for (const found of serversIn(host)) {
      const taken = servers.some(({ id, address }) => id === found.id || address === found.address);
      if (!taken) servers.push(found);
    }
  }
  return servers;
}

/** Reads the servers of the ensemble from the zoo.cfg of a host; none for a single server. */
export function serversIn({ files }: Facts): KnownServer[] {
  const text = files[ZOO_CFG]?.text ?? '';
  const names = new Map([...text.matchAll(/^# server\.(\d+) is (\S+)$/gm)].map(([, id, name]) => [id, name]));
  return [...text.matchAll(/^server\.(\d+)=([^:\s]+):/gm)].map(([, id, address = '']) => ({
    id: Number(id),
    address,
    host: names.get(id),
  }));
}
