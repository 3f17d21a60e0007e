/**
 * Which hosts of a plan are worked on at the same time. All of them, unless that took away what the others of a
 * running cluster need: members of a quorum and schedulers restart one by one, agents a few at a time.
 */

import type { Cluster, Role } from '../cluster/cluster.ts';
import type { Facts } from './facts.ts';
import type { PlanAction } from './item.ts';
import { PACKAGED_LAYOUTS } from './layout.ts';
import type { HostPlan, Plan } from './plan.ts';
import type { FactsByHost } from './topology.ts';
import { SCHEDULER_SERVICE } from './wanted/scheduler.ts';
import { ZOOKEEPER_DATA, ZOOKEEPER_SERVICE } from './wanted/zookeeper.ts';
import { replicatedLog } from './work-dirs.ts';

export interface Wave {
  readonly hosts: readonly string[];
  /** What has to work before the next wave is begun. */
  readonly back: readonly Member[];
}

export interface Member {
  readonly host: string;
  readonly role: Role;
}

/** Of agents that restart, at most this part at once. */
const BATCHES = 4;

const ROLES: Readonly<Record<string, Role>> = {
  [ZOOKEEPER_SERVICE]: 'zookeeper',
  [SCHEDULER_SERVICE]: 'scheduler',
  ...Object.fromEntries(PACKAGED_LAYOUTS.map(({ master }) => [master.service, 'master' as const])),
  ...Object.fromEntries(PACKAGED_LAYOUTS.map(({ agent }) => [agent.service, 'agent' as const])),
};

/** What a host's plan does to the services that others need. */
interface Effect {
  readonly host: string;
  /** Roles whose service goes down, if only for a moment. */
  readonly away: readonly Role[];
  /** Roles that are to work afterwards. */
  readonly up: readonly Role[];
  /** A member that the quorum doesn't know yet. */
  readonly isNew: boolean;
  /** The later, the more there is to lose: see `rankOf`. */
  readonly rank: number;
}

/** Each host with items is in one wave. A wave is begun when the one before has ended well. */
export function waves(cluster: Cluster, plan: Plan, facts: FactsByHost): Wave[] {
  const effects = plan.hosts
    .filter(({ items }) => items.length > 0)
    .map((host) => effectOf(cluster, host, facts.get(host.host)));
  if (effects.length === 0) return [];
  const ends = plan.command === 'stop' || plan.command === 'uninstall';
  // Without a quorum there is none to lose, and to bring one back may take all members.
  const quorum = [...facts.values()].some(
    ({ master, zookeeper }) => master.elected || ['leader', 'follower'].includes(zookeeper.mode),
  );
  if (ends || !quorum) return [{ hosts: effects.map(({ host }) => host), back: [] }];
  const members = effects.filter(({ away, up }) => away.some(takesTurns) || up.some(takesTurns));
  const joining = members.filter((one) => one.isNew && !one.away.some(takesTurns));
  const going = members.filter((one) => one.away.length > 0 && !joining.includes(one));
  const alone = members.length > 1 ? [...going.toSorted((a, b) => a.rank - b.rank), ...joining] : [];
  const agents = effects.filter((one) => one.away.includes('agent') && !alone.includes(one));
  const batched = agents.length > 1 ? agents : [];
  const later = new Set([...alone, ...batched]);
  return [
    effects.filter((one) => !later.has(one)),
    ...alone.map((one) => [one]),
    ...chunks(batched, Math.ceil(batched.length / BATCHES)),
  ]
    .filter((wave) => wave.length > 0)
    .map(waveOf);
}

function waveOf(wave: readonly Effect[]): Wave {
  return {
    hosts: wave.map(({ host }) => host),
    back: wave.flatMap(({ host, away, up }) =>
      up.filter((role) => takesTurns(role) || away.includes(role)).map((role) => ({ host, role })),
    ),
  };
}

/** True of roles of which one host at most may be away. */
function takesTurns(role: Role): boolean {
  return role !== 'agent';
}

const DOWN: ReadonlySet<PlanAction> = new Set([
  'restart',
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

/** How much goes with a role: 0 where it doesn't work now, 1 where it follows, 2 where it leads. */
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
      return 0;
  }
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  const result: T[][] = [];
  for (let at = 0; at < list.length; at += size) result.push(list.slice(at, at + size));
  return result;
}
