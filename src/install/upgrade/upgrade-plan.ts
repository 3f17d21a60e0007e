/** Makes the plan of an upgrade from the plan of an installation with the new versions. */

import type { Cluster } from '../../cluster/cluster.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { drainPlan } from '../drain-plan.ts';
import type { Facts } from '../facts.ts';
import type { HostPlan, Plan, PlanItem } from '../plan.ts';
import type { MasterAgent } from '../script/agents-script.ts';
import { AGENT_RETURNS } from '../script/places.ts';
import type { FactsByHost } from '../topology.ts';
import { type Component, componentsOf } from './component.ts';
import { whyContainersEnd } from './docker-drain.ts';
import { unusedPayloads } from './payloads.ts';

export interface UpgradePlanInput {
  readonly cluster: Cluster;
  /** The plan of an installation. */
  readonly plan: Plan;
  readonly facts: FactsByHost;
  /** Leave out the items of other components. */
  readonly component?: Component | undefined;
  /** The agents, as the leading master knows them; undefined if no master leads. */
  readonly agents: readonly MasterAgent[] | undefined;
  readonly sha256: (text: string) => string;
}

export function upgradePlan(input: UpgradePlanInput): Plan {
  const { cluster, plan, facts, component } = input;
  const hosts = plan.hosts.map((host): HostPlan => {
    const own = facts.get(host.host);
    if (own === undefined) return host;
    const components = componentsOf(host.items, cluster);
    const items = host.items.filter(
      (_, at) =>
        component === undefined || components[at] === component || host.items[at]?.action === 'repair',
    );
    const unused =
      component === undefined || component === 'mesosup' ? unusedPayloads(own, plan.version) : [];
    return { ...host, items: [...withDrain(input, host.host, own, items), ...unused] };
  });
  return { ...plan, command: 'upgrade', hosts };
}

/** Drains the agent while its Docker changes, if that ends containers. Completes the drain of an interrupted upgrade. */
function withDrain(
  input: UpgradePlanInput,
  host: string,
  facts: Facts,
  items: readonly PlanItem[],
): PlanItem[] {
  const { component } = input;
  if (component !== undefined && component !== 'docker') return [...items];
  const reason = whyContainersEnd(facts, items);
  const returns = facts.files[AGENT_RETURNS] !== undefined;
  if (reason === undefined && !returns) return [...items];
  const agent = input.agents?.find(({ id }) => id === facts.agent.id);
  if (agent === undefined) return [...items];
  const common = { ...input, version: input.plan.version, host, facts };
  const drain = reason === undefined ? [] : itemsOf(drainPlan({ ...common, command: 'drain', agent }));
  // An agent that its owner has taken out of service stays out of service.
  if (!returns && agent.duty !== 'active') return [...drain.map((item) => because(item, reason)), ...items];
  const back = itemsOf(drainPlan({ ...common, command: 'undrain', agent: { ...agent, duty: 'drained' } }));
  return [...drain.map((item): PlanItem => ({ ...because(item, reason), returns: true })), ...items, ...back];
}

/**
 * @throws MesosupError if the plan ends containers of an agent that runs, but is not known to a leading master and so
 *   can't be drained before
 */
export function refuseUndrained({
  plan,
  facts,
  agents,
}: Pick<UpgradePlanInput, 'plan' | 'facts' | 'agents'>): void {
  for (const { host, items } of plan.hosts) {
    const own = facts.get(host);
    const reason = own && whyContainersEnd(own, items);
    if (reason === undefined || agents?.some(({ id }) => id === own?.agent.id)) continue;
    if (!own?.agent.answers || own.agent.tasks === 0) continue;
    throw new MesosupError(
      `${host}: ${reason}, so its agent must be drained before Docker changes, but no leading master knows the agent`,
      { host, remedy: 'Find the cause with: mesosup status. Then run the same command again.' },
    );
  }
}

function because(item: PlanItem, reason: string | undefined): PlanItem {
  return reason === undefined ? item : { ...item, reason: `because ${reason}` };
}

function itemsOf({ hosts }: Plan): readonly PlanItem[] {
  return hosts.flatMap(({ items }) => items);
}
