/** Plans to take an agent out of service, or to put it back. */

import type { Cluster } from '../cluster/cluster.ts';
import { basisOf } from './basis.ts';
import type { Facts } from './facts.ts';
import { mesosLayout } from './layout.ts';
import { isMember } from './member-change.ts';
import type { Plan, PlanItem } from './plan.ts';
import type { ServiceResource } from './resources/service.ts';
import type { MasterAgent } from './script/agents-script.ts';
import { AGENT_RETURNS } from './script/places.ts';
import { SCHEDULER_SERVICE } from './wanted/scheduler.ts';
import { ZOOKEEPER_SERVICE } from './wanted/zookeeper.ts';

export interface DrainPlanInput {
  readonly cluster: Cluster;
  readonly host: string;
  readonly facts: Facts;
  readonly command: 'drain' | 'undrain';
  /** The agent, as the leading master knows it; missing for a host without one that leaves the cluster. */
  readonly agent?: MasterAgent | undefined;
  /** Also stop the agent, mark it as gone, and stop the host's master and scheduler. */
  readonly retire?: true;
  /** Version of this program. */
  readonly version: string;
  readonly sha256: (text: string) => string;
}

/** Without items if the agent is in the wanted state already. */
export function drainPlan(input: DrainPlanInput): Plan {
  const { cluster, host, facts, command, version, sha256, retire } = input;
  const { agent } = input;
  const items = [
    ...(agent ? itemsOf({ ...input, agent }) : []),
    ...(agent && retire ? [retiring(input, agent)] : []),
    ...(retire ? memberItems(input) : []),
  ];
  const plan = { host, items, basis: basisOf(facts, sha256) };
  return { format: 1, command, cluster: cluster.name, version, hosts: [plan] };
}

function agentItem({
  cluster,
  facts,
}: DrainPlanInput): Pick<PlanItem, 'id' | 'diff'> & { resource: ServiceResource } {
  const { service } = mesosLayout(cluster, facts).agent;
  return { id: `service:${service}`, diff: [], resource: plainService(service) };
}

function plainService(name: string): ServiceResource {
  return { kind: 'service', name, enabled: true, running: null, inputs: '', restartOn: [] };
}

function retiring(input: DrainPlanInput, agent: MasterAgent): PlanItem {
  const common = agentItem(input);
  const title = `service ${common.resource.name}: stop, and mark the agent ${agent.id} as gone`;
  return { ...common, action: 'replace-agent', title };
}

/**
 * Stops the master before the quorum of the others is lowered. ZooKeeper keeps its vote until the others know that it
 * leaves, and must not lead then: see `member-change.ts`.
 */
function memberItems({ cluster, host, facts }: DrainPlanInput): PlanItem[] {
  const there = cluster.hosts.find(({ name }) => name === host);
  if (there === undefined || !isMember(there)) return [];
  const { master } = mesosLayout(cluster, facts);
  const stops = [SCHEDULER_SERVICE, master.service].flatMap((name): PlanItem[] => {
    const found = facts.services[name];
    if (found === undefined || (found.state === 'stopped' && found.enabled !== 'enabled')) return [];
    const resource: ServiceResource = { ...plainService(name), enabled: false, running: false };
    return [
      {
        id: `service:${name}`,
        action: 'stop',
        title: `service ${name}: stop and disable`,
        diff: [],
        resource,
      },
    ];
  });
  if (facts.zookeeper.mode !== 'leader') return stops;
  const inputs = facts.services[ZOOKEEPER_SERVICE]?.inputs ?? '';
  const resource: ServiceResource = { ...plainService(ZOOKEEPER_SERVICE), running: true, inputs };
  const title = `service ${ZOOKEEPER_SERVICE}: stop until another server leads`;
  return [...stops, { id: `service:${ZOOKEEPER_SERVICE}`, action: 'step-down', title, diff: [], resource }];
}

function itemsOf(input: DrainPlanInput & { readonly agent: MasterAgent }): PlanItem[] {
  const { facts, command, agent } = input;
  const common = agentItem(input);
  const { tasks, executors } = facts.agent;
  if (command === 'drain') {
    // The master reports the end of a drain before the last executor has ended.
    // With this mark of an interrupted upgrade, the next upgrade would put it back.
    const stays = facts.files[AGENT_RETURNS] === undefined;
    if (agent.duty === 'drained' && executors === 0 && stays) return [];
    const busy = tasks === null ? 'an unknown number of tasks' : tasks === 1 ? '1 task' : `${tasks} tasks`;
    const title = `agent ${agent.id}: drain, with ${busy} that move to other agents or end`;
    return [{ ...common, action: 'drain', title }];
  }
  if (agent.duty === 'active') return [];
  return [{ ...common, action: 'undrain', title: `agent ${agent.id}: put back into service` }];
}
