/** Plans to take an agent out of service, or to put it back. */

import type { Cluster } from '../cluster/cluster.ts';
import { basisOf } from './basis.ts';
import type { Facts } from './facts.ts';
import { mesosLayout } from './layout.ts';
import type { Plan, PlanItem } from './plan.ts';
import type { ServiceResource } from './resources/service.ts';
import type { MasterAgent } from './script/agents-script.ts';

export interface DrainPlanInput {
  readonly cluster: Cluster;
  readonly host: string;
  readonly facts: Facts;
  readonly command: 'drain' | 'undrain';
  /** The agent, as the leading master knows it. */
  readonly agent: MasterAgent;
  /** Also stop the agent, and mark it as gone. */
  readonly retire?: true;
  /** Version of this program. */
  readonly version: string;
  readonly sha256: (text: string) => string;
}

/** Without items if the agent is in the wanted state already. */
export function drainPlan(input: DrainPlanInput): Plan {
  const { cluster, host, facts, command, version, sha256, retire } = input;
  const items = [...itemsOf(input), ...(retire ? [retiring(input)] : [])];
  const plan = { host, items, basis: basisOf(facts, sha256) };
  return { format: 1, command, cluster: cluster.name, version, hosts: [plan] };
}

function agentItem({
  cluster,
  facts,
}: DrainPlanInput): Pick<PlanItem, 'id' | 'diff'> & { resource: ServiceResource } {
  const { service } = mesosLayout(cluster, facts).agent;
  const resource: ServiceResource = {
    kind: 'service',
    name: service,
    enabled: true,
    running: null,
    inputs: '',
    restartOn: [],
  };
  return { id: `service:${service}`, diff: [], resource };
}

function retiring(input: DrainPlanInput): PlanItem {
  const common = agentItem(input);
  const title = `service ${common.resource.name}: stop, and mark the agent ${input.agent.id} as gone`;
  return { ...common, action: 'replace-agent', title };
}

function itemsOf(input: DrainPlanInput): PlanItem[] {
  const { facts, command, agent } = input;
  const common = agentItem(input);
  const { tasks, executors } = facts.agent;
  if (command === 'drain') {
    // The master reports the end of a drain before the last executor has ended.
    if (agent.duty === 'drained' && executors === 0) return [];
    const busy = tasks === null ? 'an unknown number of tasks' : tasks === 1 ? '1 task' : `${tasks} tasks`;
    const title = `agent ${agent.id}: drain, with ${busy} that move to other agents or end`;
    return [{ ...common, action: 'drain', title }];
  }
  if (agent.duty === 'active') return [];
  return [{ ...common, action: 'undrain', title: `agent ${agent.id}: put back into service` }];
}
