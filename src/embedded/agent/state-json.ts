/** The agent's `/state`, `/containers` and `/metrics/snapshot`. Pure. */

import { type Amounts, add, amountsOf, fromMilli, NOTHING } from '../../mesos/resources.ts';
import type { TaskInfo, TaskState, TaskStatus } from '../../mesos/types.ts';
import type { FlagValues } from '../wire/flags.ts';
import { attributeModel, resourceModel } from '../wire/resource-text.ts';
import { MESOS_VERSION } from '../wire/version.ts';
import { type Agent, type AgentFramework, agentId, type Executor } from './model.ts';

export type Json = Record<string, unknown>;

function taskJson(
  framework: AgentFramework,
  executor: Executor,
  info: TaskInfo,
  state: TaskState,
  statuses: TaskStatus[],
  slaveId: string,
): Json {
  return {
    id: info.task_id.value,
    name: info.name,
    framework_id: framework.id,
    executor_id: executor.forCommand ? '' : executor.id,
    slave_id: slaveId,
    state,
    resources: resourceModel(amountsOf(info.resources)),
    role: info.resources[0]?.allocation_info?.role ?? '*',
    statuses: statuses.map(({ state: s, timestamp, container_status, healthy }) => ({
      state: s,
      timestamp,
      ...(container_status ? { container_status } : {}),
      ...(healthy === undefined ? {} : { healthy }),
    })),
    ...(info.labels ? { labels: info.labels.labels } : {}),
    ...(info.health_check ? { health_check: info.health_check } : {}),
    ...(info.discovery ? { discovery: info.discovery } : {}),
  };
}

function used(executor: Executor): Amounts {
  let sum = amountsOf(executor.info.resources ?? []);
  for (const task of executor.launched.values()) sum = add(sum, amountsOf(task.info.resources));
  for (const task of executor.queued.values()) sum = add(sum, amountsOf(task.resources));
  return sum;
}

function executorJson(agent: Agent, framework: AgentFramework, executor: Executor): Json {
  const slaveId = agentId(agent);
  const waiting: TaskStatus[] = [];
  const { launched, terminated, queued } = executor;
  const tasks = [...launched.values(), ...terminated.values()];
  return {
    id: executor.id,
    name: executor.info.name ?? '',
    source: executor.info.source ?? '',
    container: executor.containerId,
    directory: executor.directory,
    resources: resourceModel(used(executor)),
    role: executor.info.resources?.[0]?.allocation_info?.role ?? '*',
    type: executor.info.type ?? 'CUSTOM',
    tasks: tasks.map((t) => taskJson(framework, executor, t.info, t.state, t.statuses, slaveId)),
    queued_tasks: [...queued.values()].map((t) =>
      taskJson(framework, executor, t, 'TASK_STAGING', waiting, slaveId),
    ),
    completed_tasks: [],
  };
}

function frameworkJson(agent: Agent, framework: AgentFramework): Json {
  const { info } = framework;
  return {
    id: framework.id,
    name: info.name,
    user: info.user,
    failover_timeout: info.failover_timeout ?? 0,
    checkpoint: info.checkpoint ?? false,
    hostname: info.hostname ?? '',
    roles: info.roles ?? [],
    executors: [...framework.executors.values()].map((e) => executorJson(agent, framework, e)),
    completed_executors: [],
  };
}

export function stateJson(agent: Agent, flags: FlagValues): Json {
  const total = amountsOf(agent.info.resources ?? []);
  return {
    version: MESOS_VERSION,
    build_date: '',
    build_time: 0,
    build_user: '',
    start_time: agent.startTime / 1000,
    id: agentId(agent),
    pid: `slave(1)@${agent.ip}:${agent.port}`,
    hostname: agent.info.hostname,
    resources: resourceModel(total),
    reserved_resources: {},
    unreserved_resources: resourceModel(total),
    attributes: attributeModel(agent.info.attributes),
    ...(agent.master === undefined ? {} : { master_hostname: agent.master.replace(/:\d+$/, '') }),
    flags: Object.fromEntries(flags),
    frameworks: [...agent.frameworks.values()].map((f) => frameworkJson(agent, f)),
    completed_frameworks: [],
  };
}

export function containersJson(agent: Agent): Json[] {
  return [...agent.frameworks.values()].flatMap((framework) =>
    [...framework.executors.values()].map((executor) => ({
      container_id: executor.containerId,
      executor_id: executor.id,
      executor_name: executor.info.name ?? '',
      framework_id: framework.id,
      source: executor.info.source ?? '',
      status: {
        container_id: { value: executor.containerId },
        ...(executor.process ? { executor_pid: executor.process.pid } : {}),
      },
    })),
  );
}

export function metricsJson(agent: Agent): Json {
  const executors = [...agent.frameworks.values()].flatMap((f) => [...f.executors.values()]);
  const tasks = executors.flatMap((e) => [...e.launched.values()]);
  const inState = (state: TaskState) => tasks.filter((t) => t.state === state).length;
  const total = amountsOf(agent.info.resources ?? []);
  const inUse = executors.reduce((sum, e) => add(sum, used(e)), NOTHING);
  const out: Record<string, number> = {
    'slave/registered': agent.registered ? 1 : 0,
    'slave/uptime_secs': (agent.ports.now() - agent.startTime) / 1000,
    'slave/frameworks_active': agent.frameworks.size,
    'slave/executors_registering': executors.filter((e) => e.state === 'REGISTERING').length,
    'slave/executors_running': executors.filter((e) => e.state === 'RUNNING').length,
    'slave/executors_terminating': executors.filter((e) => e.state === 'TERMINATING').length,
    'slave/tasks_staging': inState('TASK_STAGING'),
    'slave/tasks_starting': inState('TASK_STARTING'),
    'slave/tasks_running': inState('TASK_RUNNING'),
    'slave/tasks_killing': inState('TASK_KILLING'),
  };
  for (const name of ['cpus', 'mem', 'disk']) {
    out[`slave/${name}_total`] = fromMilli(total.scalars.get(name) ?? 0);
    out[`slave/${name}_used`] = fromMilli(inUse.scalars.get(name) ?? 0);
  }
  return out;
}
