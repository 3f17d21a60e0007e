/** Builds the JSON of `/state`, `/slaves`, `/frameworks` and `/tasks`. Pure. */

import { filterHeld, fromHeld, reservationsOf } from '../../mesos/held.ts';
import { type Amounts, add, amountsOf, NOTHING } from '../../mesos/resources.ts';
import {
  type AgentInfo,
  type CommandInfo,
  type ExecutorInfo,
  isTerminal,
  type TaskStatus,
} from '../../mesos/types.ts';
import { attributeModel, resourceModel, wireResources } from '../wire/resource-text.ts';
import {
  type Agent,
  allocationRole,
  executorAmounts,
  type Framework,
  isActive,
  type Master,
  type Task,
} from './model.ts';

export type Json = Record<string, unknown>;

const AGENT_CAPABILITIES = [
  'MULTI_ROLE',
  'HIERARCHICAL_ROLE',
  'RESERVATION_REFINEMENT',
  'RESOURCE_PROVIDER',
  'RESIZE_VOLUME',
  'AGENT_OPERATION_FEEDBACK',
  'AGENT_DRAINING',
  'TASK_RESOURCE_LIMITS',
];

export function taskJson(framework: Framework, task: Task): Json {
  const { info } = task;
  return {
    id: info.task_id.value,
    name: info.name,
    framework_id: framework.id,
    executor_id: info.executor?.executor_id.value ?? '',
    slave_id: task.agentId,
    state: task.state,
    resources: resourceModel(task.amounts),
    role: allocationRole(framework, info.resources),
    statuses: task.statuses.map(statusJson),
    ...(info.labels ? { labels: info.labels.labels } : {}),
    ...(info.health_check ? { health_check: info.health_check } : {}),
    ...(info.discovery ? { discovery: info.discovery } : {}),
  };
}

function statusJson(status: TaskStatus): Json {
  const { container_id, network_infos } = status.container_status ?? {};
  return {
    state: status.state,
    timestamp: status.timestamp,
    ...(status.container_status
      ? {
          container_status: {
            ...(container_id && { container_id }),
            ...(network_infos && { network_infos }),
          },
        }
      : {}),
    ...(status.healthy === undefined ? {} : { healthy: status.healthy }),
  };
}

function commandJson(command: CommandInfo | undefined): Json {
  return {
    shell: command?.shell ?? true,
    ...(command?.value === undefined ? {} : { value: command.value }),
    argv: command?.arguments ?? [],
    ...(command?.environment
      ? {
          environment: {
            variables: command.environment.variables.map((v) => ({ ...v, type: v.type ?? 'VALUE' })),
          },
        }
      : {}),
    uris: command?.uris ?? [],
  };
}

function executorJson(framework: Framework, agentId: string, executor: ExecutorInfo): Json {
  return {
    executor_id: executor.executor_id.value,
    name: executor.name ?? '',
    framework_id: framework.id,
    command: commandJson(executor.command),
    resources: resourceModel(executorAmounts(executor)),
    role: allocationRole(framework, executor.resources),
    type: executor.type ?? 'CUSTOM',
    slave_id: agentId,
  };
}

function usedBy(master: Master, framework: Framework): Amounts {
  let used = NOTHING;
  for (const task of framework.tasks.values()) if (!isTerminal(task.state)) used = add(used, task.amounts);
  for (const agent of master.agents.values()) {
    for (const executor of agent.executors.get(framework.id)?.values() ?? []) {
      used = add(used, executorAmounts(executor));
    }
  }
  return used;
}

export function frameworkJson(master: Master, framework: Framework): Json {
  const { info } = framework;
  const offers = [...master.offers.values()].filter((o) => o.frameworkId === framework.id);
  const used = usedBy(master, framework);
  const offered = offers.reduce((sum, o) => add(sum, o.amounts), NOTHING);
  const connected = framework.stream !== undefined;
  return {
    id: framework.id,
    name: info.name,
    used_resources: resourceModel(used),
    offered_resources: resourceModel(offered),
    capabilities: (info.capabilities ?? []).map((c) => c.type),
    hostname: info.hostname ?? '',
    ...(info.webui_url === undefined ? {} : { webui_url: info.webui_url }),
    active: connected,
    connected,
    recovered: framework.recovered,
    user: info.user,
    failover_timeout: info.failover_timeout ?? 0,
    checkpoint: info.checkpoint ?? false,
    registered_time: framework.registeredTime,
    unregistered_time: framework.unregisteredTime ?? 0,
    ...(framework.reregisteredTime === undefined ? {} : { reregistered_time: framework.reregisteredTime }),
    ...(info.principal === undefined ? {} : { principal: info.principal }),
    resources: resourceModel(add(used, offered)),
    roles: framework.roles,
    tasks: [...framework.tasks.values()].map((t) => taskJson(framework, t)),
    unreachable_tasks: [...framework.unreachableTasks.values()].map((t) => taskJson(framework, t)),
    completed_tasks: framework.completedTasks.map((t) => taskJson(framework, t)),
    offers: offers.map((o) => ({
      id: o.id,
      framework_id: framework.id,
      allocation_info: { role: o.role },
      slave_id: o.agentId,
      resources: resourceModel(o.amounts),
    })),
    executors: [...master.agents.values()].flatMap((agent) =>
      [...(agent.executors.get(framework.id)?.values() ?? [])].map((e) =>
        executorJson(framework, agent.id, e),
      ),
    ),
    offer_constraints: framework.offerConstraints,
  };
}

function agentAmounts(master: Master, agent: Agent): { used: Amounts; offered: Amounts } {
  let used = NOTHING;
  for (const task of agent.tasks.values()) if (!isTerminal(task.state)) used = add(used, task.amounts);
  for (const executors of agent.executors.values()) {
    for (const executor of executors.values()) used = add(used, executorAmounts(executor));
  }
  const offered = [...master.offers.values()]
    .filter((o) => o.agentId === agent.id)
    .reduce((sum, o) => add(sum, o.amounts), NOTHING);
  return { used, offered };
}

/** An agent in `/state`. */
export function agentJson(master: Master, agent: Agent): Json {
  const { used, offered } = agentAmounts(master, agent);
  return {
    id: agent.id,
    hostname: agent.info.hostname,
    port: agent.info.port,
    attributes: attributeModel(agent.info.attributes),
    pid: `slave(1)@${agent.ip}:${agent.info.port}`,
    registered_time: agent.registeredTime,
    ...(agent.reregisteredTime === undefined ? {} : { reregistered_time: agent.reregisteredTime }),
    resources: resourceModel(agent.total),
    used_resources: resourceModel(used),
    offered_resources: resourceModel(offered),
    reserved_resources: Object.fromEntries(
      [...reservedByRole(agent)].map(([role, amounts]) => [role, resourceModel(amounts)]),
    ),
    unreserved_resources: resourceModel(unreserved(agent)),
    active: isActive(master, agent),
    deactivated: master.deactivated.has(agent.id),
    version: agent.version,
    capabilities: AGENT_CAPABILITIES,
    ...drainJson(master, agent),
  };
}

function unreserved({ total }: Agent): Amounts {
  return filterHeld(total, ({ reservations }) => reservations.length === 0);
}

function reservedByRole({ total }: Agent): Map<string, Amounts> {
  const roles = new Set(fromHeld(total).flatMap((one) => reservationsOf(one).at(-1)?.role ?? []));
  return new Map(
    [...roles].map((role) => [
      role,
      filterHeld(total, ({ reservations }) => reservations.at(-1)?.role === role),
    ]),
  );
}

function drainJson(master: Master, agent: Agent): Json {
  const drain_info = master.draining.get(agent.id);
  if (!drain_info) return {};
  const started = agent.drainStartTime;
  return { drain_info, ...(started === undefined ? {} : { estimated_drain_start_time_seconds: started }) };
}

/** An agent in `/state` and `/slaves` that has not returned since this master's election. */
export function recoveredAgentJson(info: AgentInfo): Json {
  const total = resourceModel(amountsOf(info.resources ?? []));
  return {
    id: info.id?.value,
    hostname: info.hostname,
    port: info.port,
    attributes: attributeModel(info.attributes),
    resources: total,
    reserved_resources: {},
    unreserved_resources: total,
  };
}

/** An agent in `/slaves`, with complete resources. */
export function fullAgentJson(master: Master, agent: Agent): Json {
  const { used, offered } = agentAmounts(master, agent);
  const role = [...master.frameworks.values()][0]?.roles[0] ?? '*';
  return {
    ...agentJson(master, agent),
    reserved_resources_full: Object.fromEntries(
      [...reservedByRole(agent)].map(([of, amounts]) => [of, wireResources(amounts)]),
    ),
    unreserved_resources_full: wireResources(unreserved(agent)),
    used_resources_full: wireResources(used, role),
    offered_resources_full: wireResources(offered, role),
  };
}

/** Sums the scalars of the cluster and their use. */
export function clusterAmounts(master: Master): { total: Amounts; used: Amounts } {
  let total = NOTHING;
  let used = NOTHING;
  for (const agent of master.agents.values()) {
    total = add(total, amountsOf(agent.info.resources ?? []));
    used = add(used, agentAmounts(master, agent).used);
  }
  return { total, used };
}
