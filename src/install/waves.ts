/**
 * Splits the hosts of a plan into waves, which are applied one after another. A single wave suffices unless it would
 * interrupt a running cluster: members of a quorum and schedulers restart one at a time, agents a few at a time.
 */

import type { Cluster, Role } from '../cluster/cluster.ts';
import type { Facts } from './facts.ts';
import type { PlanAction } from './item.ts';
import { PACKAGED_LAYOUTS } from './layout.ts';
import type { MemberChange } from './member-change.ts';
import type { HostPlan, Plan } from './plan.ts';
import type { FactsByHost } from './topology.ts';
import { LB_SERVICE } from './wanted/lb.ts';
import { SCHEDULER_SERVICE } from './wanted/scheduler.ts';
import { ZOOKEEPER_DATA, ZOOKEEPER_SERVICE } from './wanted/zookeeper.ts';
import { replicatedLog } from './work-dirs.ts';

export interface Wave {
  readonly hosts: readonly string[];
  /** Members that must be healthy again before the next wave starts. */
  readonly back: readonly Member[];
}

export interface Member {
  readonly host: string;
  readonly role: Role;
}

/** Number of waves into which agents that restart are divided, at most. */
const BATCHES = 4;

const ROLES: Readonly<Record<string, Role>> = {
  [ZOOKEEPER_SERVICE]: 'zookeeper',
  [SCHEDULER_SERVICE]: 'scheduler',
  [LB_SERVICE]: 'lb',
  ...Object.fromEntries(PACKAGED_LAYOUTS.map(({ master }) => [master.service, 'master' as const])),
  ...Object.fromEntries(PACKAGED_LAYOUTS.map(({ agent }) => [agent.service, 'agent' as const])),
};

/** The effect of a host's plan on services that other hosts need. */
interface Effect {
  readonly host: string;
  /** Roles whose service goes down, if only briefly. */
  readonly away: readonly Role[];
  /** Roles whose service must run afterwards. */
  readonly up: readonly Role[];
  /** True of a member that the quorum doesn't know yet. */
  readonly isNew: boolean;
  /** Hosts with a higher rank come later: see `rankOf`. */
  readonly rank: number;
}

/**
 * Puts each host with items into one wave. A wave may start when the one before has succeeded.
 * @param batch number of agents that restart at the same time; defaults to a quarter of them
 * @param member the change of which a new server of ZooKeeper joins first, see `member-change.ts`
 */
export function waves(
  cluster: Cluster,
  plan: Plan,
  facts: FactsByHost,
  batch?: number,
  member?: MemberChange,
): Wave[] {
  const effects = plan.hosts
    .filter(({ items }) => items.length > 0)
    .map((host) => effectOf(cluster, host, facts.get(host.host)));
  if (effects.length === 0) return [];
  const ends = plan.command === 'stop' || plan.command === 'uninstall';
  // Without a quorum there is nothing to interrupt, and restoring the quorum may need all members.
  const quorum = [...facts.values()].some(
    ({ master, zookeeper }) =>
      // A master that refuses the credentials, for example of a cluster that others installed, may lead.
      master.elected || master.problem !== '' || ['leader', 'follower'].includes(zookeeper.mode),
  );
  if (ends || !quorum) return [{ hosts: effects.map(({ host }) => host), back: [] }];
  const members = effects.filter(({ away, up }) => away.some(takesTurns) || up.some(takesTurns));
  const joining = members.filter((one) => one.isNew && !one.away.some(takesTurns));
  // A second server has no quorum before the first one, which has no list yet, restarts.
  const isAlone = [...facts.values()].some(({ zookeeper }) => zookeeper.mode === 'standalone');
  const isFirst = ({ host, up }: Effect) => member?.host === host && up.includes('zookeeper');
  const going = members.filter((one) => one.away.length > 0 && !joining.includes(one));
  const alone =
    members.length > 1
      ? [
          ...joining.filter(isFirst),
          ...going.toSorted((a, b) => a.rank - b.rank),
          ...joining.filter((one) => !isFirst(one)),
        ]
      : [];
  const agents = effects.filter((one) => one.away.includes('agent') && !alone.includes(one));
  const batched = agents.length > 1 ? agents : [];
  const later = new Set([...alone, ...batched]);
  return [
    effects.filter((one) => !later.has(one)),
    ...alone.map((one) => [one]),
    ...chunks(batched, batch ?? Math.ceil(batched.length / BATCHES)),
  ]
    .filter((wave) => wave.length > 0)
    .map(waveOf)
    .map((wave) => (isAlone && wave.hosts[0] === member?.host ? { ...wave, back: [] } : wave));
}

function waveOf(wave: readonly Effect[]): Wave {
  return {
    hosts: wave.map(({ host }) => host),
    back: wave.flatMap(({ host, away, up }) =>
      up.filter((role) => takesTurns(role) || away.includes(role)).map((role) => ({ host, role })),
    ),
  };
}

/** True of roles of which at most one host may be down. haproxy serves also while its program restarts. */
function takesTurns(role: Role): boolean {
  return role !== 'agent' && role !== 'lb';
}

const DOWN: ReadonlySet<PlanAction> = new Set([
  'restart',
  'step-down',
  'replace-agent',
  'stop',
  'disable',
  'restore',
  'remove',
]);
const UP: ReadonlySet<PlanAction> = new Set(['start', 'restart']);

function effectOf(cluster: Cluster, { host, items }: HostPlan, facts: Facts | undefined): Effect {
  const found = cluster.hosts.find(({ name }) => name === host);
  const log = found && replicatedLog(cluster, found);
  const services = items.flatMap(({ id, action }) => {
    const name = /^service:(.*)$/.exec(id)?.[1] ?? '';
    const role = ROLES[name];
    if (role === undefined) return [];
    const state = facts?.services[name]?.state;
    return [{ role, action, runs: state === 'running' || state === 'starting' }];
  });
  const up = services.filter(({ action }) => UP.has(action)).map(({ role }) => role);
  const away = services.filter(({ action, runs }) => runs && DOWN.has(action)).map(({ role }) => role);
  return {
    host,
    away,
    up,
    isNew:
      (up.includes('master') && (log === undefined || facts?.files[log] === undefined)) ||
      (up.includes('zookeeper') && facts?.files[`${ZOOKEEPER_DATA}/myid`] === undefined),
    rank: Math.max(0, ...away.map((role) => rankOf(role, facts))),
  };
}

/** Returns the importance of a host for its role: 0 when it does not work now, 1 for a follower, 2 for the leader. */
function rankOf(role: Role, facts: Facts | undefined): number {
  if (facts === undefined) return 0;
  const { master, scheduler, zookeeper } = facts;
  switch (role) {
    case 'master':
      return master.elected ? 2 : Number(master.answers);
    case 'scheduler':
      return scheduler.leads ? 2 : Number(scheduler.answers);
    case 'zookeeper':
      return zookeeper.mode === 'leader' ? 2 : Number(zookeeper.mode === 'follower');
    case 'agent':
    case 'lb':
      return 0;
  }
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  const result: T[][] = [];
  for (let at = 0; at < list.length; at += size) result.push(list.slice(at, at + size));
  return result;
}
