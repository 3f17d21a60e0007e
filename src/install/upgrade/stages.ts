/**
 * The order of an upgrade. Its plan is divided into stages, which follow one another; each stage is divided into waves
 * of hosts. The next wave is chosen from the latest facts, since the leaders may have changed.
 */

import type { Cluster, Role } from '../../cluster/cluster.ts';
import { hostsWith } from '../../cluster/topology.ts';
import type { Facts } from '../facts.ts';
import { clusterHealth } from '../health.ts';
import { idParts } from '../item.ts';
import type { HostPlan, Plan, PlanItem } from '../plan.ts';
import { type FactsByHost, quorumOf } from '../topology.ts';
import { CURRENT } from '../wanted/base.ts';
import { waves } from '../waves.ts';
import { componentsOf } from './component.ts';

/** In their order. `prepare` interrupts nothing; `finish` removes what is no longer needed. */
export const STAGES = [
  'prepare',
  'zookeeper',
  'masters',
  'schedulers',
  'agents',
  'docker',
  'finish',
] as const;

export type Stage = (typeof STAGES)[number];

/** Of the stages that may interrupt something. */
export const STAGE_TITLES: Readonly<Partial<Record<Stage, string>>> = {
  zookeeper: 'ZooKeeper',
  masters: 'masters',
  schedulers: 'schedulers',
  agents: 'agents',
  docker: 'Docker',
};

export interface StagePlan {
  readonly stage: Stage;
  readonly plan: Plan;
  /** Number of hosts that restart agents or Docker at the same time. */
  readonly batch: number;
}

export interface Pace {
  /** The host that goes through all stages before any other. */
  readonly first?: string | undefined;
  /** Number of hosts that restart agents or Docker at the same time; defaults to a quarter of them. */
  readonly batch?: number | undefined;
  /** Seconds between two waves that interrupt something. */
  readonly pauseSeconds?: number | undefined;
}

/** A member that must be healthy again before the next wave starts. */
export interface Awaited {
  readonly host: string;
  readonly role: Role | 'docker';
}

export interface UpgradeWave {
  readonly hosts: readonly string[];
  readonly back: readonly Awaited[];
}

/** Divides a plan; stages without items are omitted. */
export function stagesOf(cluster: Cluster, plan: Plan, { first, batch }: Pace): StagePlan[] {
  const of = (hosts: readonly HostPlan[]) =>
    STAGES.flatMap((stage): StagePlan[] => {
      const some = hosts.flatMap((host): HostPlan[] => {
        const items = itemsOf(cluster, host, stage);
        return items.length === 0 ? [] : [{ ...host, items }];
      });
      if (some.length === 0) return [];
      return [{ stage, plan: { ...plan, hosts: some }, batch: batch ?? Math.ceil(some.length / 4) }];
    });
  const canary = plan.hosts.filter(({ host }) => host === first);
  return [...of(canary), ...of(plan.hosts.filter((host) => !canary.includes(host)))];
}

function itemsOf(cluster: Cluster, { host, items }: HostPlan, stage: Stage): PlanItem[] {
  const components = componentsOf(items, cluster);
  const isMaster = hostsWith(cluster, 'master').some(({ name }) => name === host);
  const ofScheduler = new Set(
    items.flatMap(({ resource }) => (resource?.kind === 'service' ? resource.restartOn : [])),
  );
  return items.filter((item, at) => {
    switch (components[at]) {
      case 'zookeeper':
        return stage === 'zookeeper';
      case 'mesos':
        // One package has both programs, so both restart together. The drain of an agent is for Docker.
        if (item.action === 'drain' || item.action === 'undrain') return stage === 'docker';
        return stage === (isMaster ? 'masters' : 'agents');
      case 'docker':
        return stage === 'docker';
      default:
        return stage === ownStage(item, ofScheduler);
    }
  });
}

/** The link to the payload comes after everything that the new programs read. */
function ownStage({ id, action }: PlanItem, ofScheduler: ReadonlySet<string>): Stage {
  const { kind, name } = idParts(id);
  if (kind === 'payload') return action === 'remove' ? 'finish' : 'prepare';
  return kind === 'service' || name === CURRENT || ofScheduler.has(id) ? 'schedulers' : 'prepare';
}

/** Returns the hosts of the stage that are next. The stage has at least one host. */
export function nextWave(
  cluster: Cluster,
  { stage, plan, batch }: StagePlan,
  facts: FactsByHost,
): UpgradeWave {
  const names = plan.hosts.map(({ host }) => host);
  if (stage === 'prepare' || stage === 'finish') return { hosts: names, back: [] };
  if (stage === 'docker') {
    const hosts = names.slice(0, batch);
    return {
      hosts,
      back: hosts.flatMap((host) => [
        { host, role: 'docker' },
        { host, role: 'agent' },
      ]),
    };
  }
  return waves(cluster, plan, facts, batch)[0] ?? { hosts: names, back: [] };
}

/** Returns all waves as they follow from the present facts, for people. */
export function upgradeOrder(
  cluster: Cluster,
  plan: Plan,
  facts: FactsByHost,
  pace: Pace,
): { readonly stage: Stage; readonly hosts: readonly string[] }[] {
  return stagesOf(cluster, plan, pace).flatMap((one) => {
    const order: { readonly stage: Stage; readonly hosts: readonly string[] }[] = [];
    let left = one.plan.hosts;
    while (left.length > 0) {
      const { hosts } = nextWave(cluster, { ...one, plan: { ...one.plan, hosts: left } }, facts);
      order.push({ stage: one.stage, hosts });
      left = left.filter(({ host }) => !hosts.includes(host));
    }
    return order;
  });
}

/** Lists awaited members that are not healthy yet, and a missing leader. */
export function missingMembers(
  cluster: Cluster,
  before: FactsByHost,
  now: FactsByHost,
  back: readonly Awaited[],
): string[] {
  const { hosts, problems } = clusterHealth(cluster, now);
  const own = back.flatMap(({ host, role }) => {
    const found = hosts.find((one) => one.host === host)?.roles.find((one) => one.role === role);
    if (found && !found.healthy) return [`${host}: ${role} ${found.state}`];
    // Not every release of Mesos reports this of a master that follows.
    const lost = role === 'master' && before.get(host)?.master.recovered && !now.get(host)?.master.recovered;
    return lost && !now.get(host)?.master.elected
      ? [`${host}: its copy of the registry is not recovered yet`]
      : [];
  });
  const roles = new Set(back.map(({ role }) => role));
  const leads = leaderOf(now);
  const lost = (leaderOf(before)?.agentsConnected ?? 0) - (leads?.agentsConnected ?? 0);
  const unsubscribed = hosts.flatMap(({ host, roles }) =>
    roles.some(({ role, healthy, state }) => role === 'scheduler' && !healthy && state.startsWith('leader'))
      ? [`${host}: its scheduler leads, and is not subscribed yet`]
      : [],
  );
  return [
    ...own,
    ...(leads === undefined ? ['no Mesos master leads'] : []),
    ...(leads && lost > 0 ? [`${lost} agents are not connected to the new master yet`] : []),
    ...(roles.has('zookeeper') ? problems.filter((text) => text.startsWith('ZooKeeper has')) : []),
    ...problems.filter((text) => /schedulers? leads?$/.test(text)),
    ...unsubscribed,
  ];
}

function leaderOf(facts: FactsByHost): Facts['master'] | undefined {
  return [...facts.values()].find(({ master }) => master.elected && master.recovered)?.master;
}

const QUORUMS: readonly ('zookeeper' | 'master')[] = ['zookeeper', 'master'];
const NAMES = { zookeeper: 'ZooKeeper', master: 'the masters' } as const;

/**
 * Returns the reason why a wave would end a quorum, because other members do not work. A cluster of one or two members
 * has none to lose, and one that has lost it already can only win.
 */
export function quorumRisk(
  cluster: Cluster,
  facts: FactsByHost,
  { hosts, back }: UpgradeWave,
): string | undefined {
  for (const role of QUORUMS) {
    const members = hostsWith(cluster, role);
    if (members.length < 3 || !back.some((one) => one.role === role)) continue;
    const majority = quorumOf(members.length);
    const working = members.filter(({ name }) => works(role, facts.get(name)));
    const staying = working.filter(({ name }) => !hosts.includes(name));
    if (working.length < majority || staying.length >= majority) continue;
    const down = members.filter((one) => !working.includes(one)).map(({ name }) => name);
    return `${NAMES[role]} would lose the quorum: ${down.join(', ')} ${down.length === 1 ? 'does' : 'do'} not work`;
  }
  return undefined;
}

function works(role: (typeof QUORUMS)[number], facts: Facts | undefined): boolean {
  if (facts === undefined) return false;
  return role === 'zookeeper' ? facts.zookeeper.mode !== '' : facts.master.answers;
}
