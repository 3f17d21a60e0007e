/** The read-only calls of the v1 operator API. Their messages differ from those of `/state`. */

import { isTerminal } from '../../mesos/types.ts';
import { CallRefused } from '../wire/http.ts';
import { wireResources } from '../wire/resource-text.ts';
import { MESOS_VERSION } from '../wire/version.ts';
import { type Framework, isActive, type Master, type Task, taskNames } from './model.ts';
import type { Json } from './state-json.ts';

/** @returns the answer's body. @throws CallRefused for a call that is not implemented */
export function answerQuery(master: Master, type: unknown): Json {
  switch (type) {
    case 'GET_HEALTH':
      return { type, get_health: { healthy: true } };
    case 'GET_VERSION':
      return { type, get_version: { version_info: { version: MESOS_VERSION } } };
    case 'GET_AGENTS':
      return { type, get_agents: agents(master) };
    case 'GET_FRAMEWORKS':
      return { type, get_frameworks: frameworks(master) };
    case 'GET_TASKS':
      return { type, get_tasks: tasks(master) };
    case 'GET_STATE':
      return {
        type,
        get_state: {
          get_tasks: tasks(master),
          get_executors: executors(master),
          get_frameworks: frameworks(master),
          get_agents: agents(master),
        },
      };
    case undefined:
      throw new CallRefused(400, "Failed to validate master::Call: Expecting 'type' to be present");
    default:
      throw new CallRefused(501, `The embedded master does not answer ${String(type)}`);
  }
}

function nanoseconds(seconds: number): Json {
  return { nanoseconds: Math.round(seconds * 1e9) };
}

function agents(master: Master): Json {
  return {
    agents: [...master.agents.values()].map((agent) => {
      const drain_info = master.draining.get(agent.id);
      const drainStart = agent.drainStartTime;
      return {
        agent_info: agent.info,
        active: isActive(master, agent),
        deactivated: master.deactivated.has(agent.id),
        version: agent.version,
        pid: `slave(1)@${agent.ip}:${agent.info.port}`,
        registered_time: nanoseconds(agent.registeredTime),
        ...(agent.reregisteredTime === undefined
          ? {}
          : { reregistered_time: nanoseconds(agent.reregisteredTime) }),
        total_resources: wireResources(agent.total),
        ...(drain_info ? { drain_info } : {}),
        ...(drain_info && drainStart !== undefined
          ? { estimated_drain_start_time: nanoseconds(drainStart) }
          : {}),
      };
    }),
    recovered_agents: [...master.recoveredAgents.values()],
  };
}

function frameworks(master: Master): Json {
  const one = (framework: Framework): Json => ({
    framework_info: framework.info,
    active: framework.stream !== undefined,
    connected: framework.stream !== undefined,
    recovered: framework.recovered,
    registered_time: nanoseconds(framework.registeredTime),
  });
  return {
    frameworks: [...master.frameworks.values()].map(one),
    completed_frameworks: [...master.completedFrameworks.values()].map(one),
  };
}

function tasks(master: Master): Json {
  const all = [...master.frameworks.values()];
  const ended = [...all, ...master.completedFrameworks.values()].flatMap((f) => f.completedTasks);
  return {
    tasks: all.flatMap((f) => [...f.tasks.values()]).map(taskMessage),
    unreachable_tasks: all.flatMap((f) => [...f.unreachableTasks.values()]).map(taskMessage),
    completed_tasks: ended.filter((task) => isTerminal(task.state)).map(taskMessage),
  };
}

function taskMessage(task: Task): Json {
  const { taskId, agentId, executorId } = taskNames(task);
  return {
    name: task.info.name,
    task_id: { value: taskId },
    framework_id: { value: task.frameworkId },
    agent_id: { value: agentId },
    ...(executorId === undefined ? {} : { executor_id: { value: executorId } }),
    state: task.state,
    resources: task.info.resources,
    statuses: task.statuses,
    ...(task.info.labels ? { labels: task.info.labels } : {}),
    ...(task.info.discovery ? { discovery: task.info.discovery } : {}),
  };
}

function executors(master: Master): Json {
  return {
    executors: [...master.agents.values()].flatMap((agent) =>
      [...agent.executors.values()].flatMap((byId) =>
        [...byId.values()].map((executor_info) => ({ agent_id: { value: agent.id }, executor_info })),
      ),
    ),
  };
}
