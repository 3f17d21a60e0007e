/**
 * Changes which hosts are masters and ZooKeeper servers, one host at a time, in steps that are clusters of their own.
 *
 * Two majorities that don't intersect could each accept writes. ZooKeeper's lists of servers may therefore differ by one
 * server at any time, and a quorum of masters is raised before a master comes, and lowered after one has gone (Mesos'
 * operational guide). A server of ZooKeeper restarts into a running ensemble only if a majority of its new list follows
 * a leader of that list (FastLeaderElection). So a new server joins first, and a server leaves last, not as the leader.
 */

import type { Cluster, ClusterHost, Role } from '../cluster/cluster.ts';
import { hostsWith } from '../cluster/topology.ts';
import type { Facts } from './facts.ts';
import { mesosLayout, presentFlag } from './layout.ts';
import type { Problem } from './plan.ts';
import { type FactsByHost, quorumOf, serversIn } from './topology.ts';
import { ZOOKEEPER_SERVICE } from './wanted/zookeeper.ts';

export interface MemberChange {
  /** A host that leaves is not in the cluster any more. A host that replaces another one takes its id in the ensemble. */
  readonly kind: 'joins' | 'leaves' | 'replaces';
  readonly host: string;
  /** The host that is replaced. */
  readonly old?: string;
}

/** True of a host that takes part in an election or a quorum. */
export function isMember({ roles }: Pick<ClusterHost, 'roles'>): boolean {
  return roles.some((role) => role === 'zookeeper' || role === 'master' || role === 'scheduler');
}

/** Finds changes of a started ensemble that are not safe, or that a plain install does not make in the right order. */
export function memberProblems(cluster: Cluster, facts: FactsByHost, member?: MemberChange): Problem[] {
  const wanted = hostsWith(cluster, 'zookeeper').map(({ name }) => name);
  const lists = presentLists(cluster, facts);
  const problem = (host: string, message: string, remedy: string): Problem[] => [
    { host, check: 'ensemble', message, remedy, severity: 'error' },
  ];
  for (const { host, servers } of lists) {
    const joining = wanted.filter((name) => !servers.includes(name));
    const leaving = servers.filter((name) => !wanted.includes(name));
    const changed = [...joining, ...leaving];
    if (changed.length === 0 || isMade(member, joining, leaving)) continue;
    const names = changed.join(', ');
    if (changed.length > 1 || member !== undefined) {
      return problem(
        changed[0] ?? host,
        `the ensemble of ZooKeeper on ${host} is ${servers.join(', ')}, and would be ${wanted.join(', ')}: more than one server would change at once (${names}), so that two majorities need not have a server in common`,
        `Complete the earlier change first, or undo it in the cluster file. Then add or remove one host at a time, with "mesosup node add" or "mesosup node remove".`,
      );
    }
    const [joins] = joining;
    return joins === undefined
      ? problem(
          names,
          `the cluster file lacks ${names}, which is a server of ZooKeeper's ensemble`,
          `Put it back into the file, then run: mesosup node remove ${names}  (with --dead if it will never return)`,
        )
      : problem(
          joins,
          `${joins} would join the running ensemble of ZooKeeper, which needs several steps`,
          `Run: mesosup node add ${joins}`,
        );
  }
  if (member?.kind === 'leaves' && wanted.length === 1 && lists.length > 0) {
    return problem(
      wanted[0] ?? '',
      `${member.host} can't leave: a single server of ZooKeeper and a single master would remain`,
      'Keep at least two members, or three to tolerate a failure.',
    );
  }
  return member === undefined ? [] : downMembers(cluster, facts, member, lists, wanted);
}

/** An even number of members tolerates no more failures than one member less. Changes pass through it. */
export function sizeProblems(cluster: Cluster, facts: FactsByHost): Problem[] {
  const isStarted = presentLists(cluster, facts).length > 0;
  const sizes: readonly (readonly [Role, string])[] = [
    ['zookeeper', 'ZooKeeper hosts'],
    ['master', 'masters'],
  ];
  return sizes.flatMap(([role, noun]): Problem[] => {
    const hosts = hostsWith(cluster, role);
    const [first] = hosts;
    if (first === undefined || hosts.length % 2 === 1) return [];
    return [
      {
        host: first.name,
        check: 'members',
        message: `${hosts.length} ${noun} tolerate no more failures than ${hosts.length - 1}`,
        remedy: 'Use an odd number: 1, 3 or 5. Add or remove one host with this role.',
        severity: isStarted ? 'warning' : 'error',
      },
    ];
  });
}

/** True of exactly this change. */
function isMade(
  member: MemberChange | undefined,
  joining: readonly string[],
  leaving: readonly string[],
): boolean {
  const [joins, leaves] = [joining.join(), leaving.join()];
  switch (member?.kind) {
    case 'joins':
      return joins === member.host && leaves === '';
    case 'leaves':
      return joins === '' && leaves === member.host;
    case 'replaces':
      return joins === member.host && leaves === member.old;
    case undefined:
      return false;
  }
}

/**
 * Returns a function that decides if a change which concerns masters, but not the ensemble, needs the master of a host.
 * The ensemble's list does not tell then if a run has begun: but a new master raises the quorum of the others first,
 * and one that leaves has stopped.
 */
function mastersNeeded(
  cluster: Cluster,
  facts: FactsByHost,
  { kind, host }: MemberChange,
  wanted: readonly string[],
) {
  const changing = facts.get(host);
  return (own: Facts): boolean => {
    if (kind === 'leaves')
      return changing?.master.answers === true && !changing.services[ZOOKEEPER_SERVICE]?.inputs;
    // A single master has stopped, so that its log could be copied: see `copyLog`.
    const others = hostsWith(cluster, 'master').filter(({ name }) => name !== host);
    if (kind !== 'joins' || wanted.includes(host) || others.length === 1) return false;
    const { kind: form, master } = mesosLayout(cluster, own);
    const present = Number(presentFlag(form, master, own, 'quorum') || '1');
    return present !== Number(cluster.masterFlags.quorum ?? quorumOf(hostsWith(cluster, 'master').length));
  };
}

/** A member that is down would be missing in the majorities that the steps need. */
function downMembers(
  cluster: Cluster,
  facts: FactsByHost,
  member: MemberChange,
  lists: readonly PresentList[],
  wanted: readonly string[],
): Problem[] {
  const { host: changing } = member;
  const needsMaster = mastersNeeded(cluster, facts, member, wanted);
  return cluster.hosts
    .filter((host) => isMember(host) && host.name !== changing)
    .flatMap(({ name, roles }): Problem[] => {
      const own = facts.get(name);
      const list = lists.find(({ host }) => host === name);
      // This member has the new list: an earlier run has failed here, and this one repairs it.
      const isNew = list?.servers.toSorted().join() === wanted.toSorted().join();
      if (own && isNew && !(roles.includes('master') && isDown('master', own) && needsMaster(own))) return [];
      const down = own ? roles.filter((role) => isDown(role, own)) : ['host'];
      if (down.length === 0) return [];
      const what = own ? `its ${down.join(', ')} is down` : 'the host is unreachable';
      return [
        {
          host: name,
          check: 'ensemble',
          message: `${what}: the members of the cluster do not change while one of them is down`,
          remedy: own
            ? 'Find the cause with: mesosup status'
            : `Bring it back first, or remove it if it will never return: mesosup node remove ${name} --dead`,
          severity: 'error',
        },
      ];
    });
}

function isDown(role: Role, { zookeeper, master, scheduler }: Facts): boolean {
  if (role === 'zookeeper') return zookeeper.mode === '';
  if (role === 'master') return !master.answers;
  return role === 'scheduler' && !scheduler.answers;
}

interface PresentList {
  readonly host: string;
  /** Names of hosts; the address of a server whose host is not known. */
  readonly servers: readonly string[];
}

/** The lists of the servers that have been started, by which they count their majorities. */
function presentLists(cluster: Cluster, facts: FactsByHost): PresentList[] {
  // Also of hosts that lack the role in the file: with fewer hosts, the default roles have no ZooKeeper.
  return cluster.hosts.flatMap(({ name }) => {
    const own = facts.get(name);
    if (own === undefined || own.mesosup.cluster !== cluster.name) return [];
    if (!own.services[ZOOKEEPER_SERVICE]?.inputs) return [];
    const servers = serversIn(own).map(
      ({ host, address }) => host ?? nameOf(cluster, facts, address) ?? address,
    );
    // A single server has no list.
    return [{ host: name, servers: servers.length === 0 ? [name] : servers }];
  });
}

function nameOf(cluster: Cluster, facts: FactsByHost, address: string): string | undefined {
  return cluster.hosts.find(
    ({ name, privateAddress, address: ssh }) =>
      [privateAddress, ssh].includes(address) || facts.get(name)?.addresses.includes(address),
  )?.name;
}
