/** The master's state in memory, and its ports to the environment. */

import { heldAmounts, plainAmounts } from '../../mesos/held.ts';
import { type Amounts, add, subtract } from '../../mesos/resources.ts';
import type { Timer } from '../../mesos/retry.ts';
import type {
  AgentInfo,
  ExecutorInfo,
  FrameworkInfo,
  MasterInfo,
  OfferConstraints,
  OfferOperation,
  OperationState,
  SchedulerEvent,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../../mesos/types.ts';
import type { DrainConfig, MasterMessage } from '../wire/agent-link.ts';
import type { EventStream } from '../wire/http.ts';
import type { Refusal } from './allocator.ts';
import type { Metrics } from './metrics.ts';

/** A framework's subscription. The id is the Mesos-Stream-Id of the answer. */
export interface SchedulerStream extends EventStream<SchedulerEvent> {
  readonly id: string;
}

export type AgentStream = EventStream<MasterMessage>;

export interface Task {
  readonly info: TaskInfo;
  readonly frameworkId: string;
  readonly agentId: string;
  readonly amounts: Amounts;
  /** The latest state. Resources are in use until it is terminal. */
  state: TaskState;
  /** State and uuid of the last forwarded update, for reconciliation and acknowledgements. */
  updateState?: TaskState;
  updateUuid?: string;
  statuses: TaskStatus[];
}

export interface Framework {
  readonly id: string;
  info: FrameworkInfo;
  roles: string[];
  suppressed: Set<string>;
  /** Selects the agents whose offers it wants. */
  offerConstraints: OfferConstraints;
  stream?: SchedulerStream;
  /** True if it has not subscribed at this master and is known only from agents. */
  recovered: boolean;
  /** Seconds since the epoch. */
  registeredTime: number;
  reregisteredTime?: number;
  unregisteredTime?: number;
  readonly tasks: Map<string, Task>;
  readonly unreachableTasks: Map<string, Task>;
  /** Oldest first, at most MAX_COMPLETED_TASKS. */
  readonly completedTasks: Task[];
  /** Resources of its tasks, executors and offers, by role; scalars in thousandths. */
  readonly held: Map<string, Map<string, number>>;
  /** Temporary refusals, by agent id. */
  readonly refusals: Map<string, Refusal[]>;
  cancelFailover?: () => void;
}

/** An operation on the resources of an agent, until its framework has acknowledged the result. */
export interface Operation {
  readonly uuid: string;
  readonly frameworkId: string;
  /** The framework's id; absent if the framework wants no report. */
  readonly id?: string;
  readonly type: OfferOperation['type'];
  state: OperationState;
}

export interface Agent {
  readonly id: string;
  info: AgentInfo;
  /** The address of its API. */
  ip: string;
  version: string;
  stream?: AgentStream;
  registeredTime: number;
  reregisteredTime?: number;
  total: Amounts;
  /** The total minus tasks, executors and outstanding offers. */
  available: Amounts;
  /** By framework id, then executor id; only executors of frameworks. */
  readonly executors: Map<string, Map<string, ExecutorInfo>>;
  /** By `taskKey`. */
  readonly tasks: Map<string, Task>;
  /** By uuid. */
  readonly operations: Map<string, Operation>;
  /** Requested kills, by `taskKey`. Sent again when the agent returns. */
  readonly killed: Set<string>;
  missedPings: number;
  cancelPing?: () => void;
  /** Time when this master requested draining, in seconds since the epoch. */
  drainStartTime?: number;
}

/** Draining state of an agent; a message of Mesos. */
export interface DrainInfo {
  state: 'DRAINING' | 'DRAINED';
  config: DrainConfig;
}

export interface OutstandingOffer {
  readonly id: string;
  readonly frameworkId: string;
  readonly agentId: string;
  readonly role: string;
  readonly amounts: Amounts;
}

/** Durations in milliseconds. */
export interface MasterSettings {
  allocationIntervalMs: number;
  agentPingTimeoutMs: number;
  maxAgentPingTimeouts: number;
  agentReregisterTimeoutMs: number;
  /** Time until an unanswered offer is rescinded; undefined for never. */
  offerTimeoutMs?: number;
}

interface MasterPorts {
  /** Milliseconds since the epoch. */
  now(): number;
  timer: Timer;
  log(line: string): void;
  /** Stores the current registry. Resolves when it is stored; a failure ends the master. */
  saveRegistry(): Promise<void>;
}

export interface Master {
  readonly id: string;
  readonly info: MasterInfo;
  readonly settings: MasterSettings;
  readonly ports: MasterPorts;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly startTime: number;
  /** The last known leader: this master, another master, or none. */
  leader?: MasterInfo;
  /** Time of this master's election, in milliseconds since the epoch. */
  electedTime?: number;
  /** True between the election and the end of reading the registry. */
  recovering: boolean;
  /** False if the registry is only in memory. */
  readonly registryKept: boolean;
  readonly frameworks: Map<string, Framework>;
  readonly completedFrameworks: Map<string, Framework>;
  readonly agents: Map<string, Agent>;
  /** Times when agents were marked unreachable, in milliseconds since the epoch. */
  readonly unreachableAgents: Map<string, number>;
  /** Agents of the registry that have not registered again since this master's election. */
  readonly recoveredAgents: Map<string, AgentInfo>;
  /** Agents that an operator deactivated: they get no offers. */
  readonly deactivated: Set<string>;
  readonly draining: Map<string, DrainInfo>;
  /** Agents that must not return, with the time in milliseconds since the epoch. */
  readonly gone: Map<string, number>;
  readonly offers: Map<string, OutstandingOffer>;
  /** Counters for new ids. */
  readonly next: { framework: number; agent: number; offer: number; operation: number };
  /** True while an allocation is scheduled. */
  allocationPending: boolean;
}

/** Limits of stored ended tasks and frameworks; the defaults of the real master's flags. */
export const MAX_COMPLETED_TASKS = 1000;
export const MAX_COMPLETED_FRAMEWORKS = 50;

export function isLeader(master: Master): boolean {
  return master.leader?.id === master.id;
}

/** True if an agent may be offered. */
export function isActive(master: Master, agent: Agent): boolean {
  return agent.stream !== undefined && !master.deactivated.has(agent.id);
}

export function taskKey(frameworkId: string, taskId: string): string {
  return `${frameworkId}/${taskId}`;
}

export function hasCapability(info: FrameworkInfo, type: string): boolean {
  return info.capabilities?.some((c) => c.type === type) ?? false;
}

/** Returns the state for a partition-aware framework, and TASK_LOST for any other framework. */
export function lostState(info: FrameworkInfo, state: TaskState): TaskState {
  return hasCapability(info, 'PARTITION_AWARE') ? state : 'TASK_LOST';
}

/** Returns the roles of a framework: `roles` with MULTI_ROLE, otherwise the older `role`. */
export function rolesOf(info: FrameworkInfo & { role?: string }): string[] {
  return hasCapability(info, 'MULTI_ROLE') ? [...(info.roles ?? [])] : [info.role ?? '*'];
}

/** Converts to seconds since the epoch, as in Mesos' messages. */
export function seconds(ms: number): number {
  return ms / 1000;
}

/**
 * Creates an update of the master itself. It has no uuid, so it is never acknowledged.
 * @param known details from the task's earlier updates: see `knownDetails`
 */
export function createMasterStatus(
  master: Master,
  task: { taskId: string; agentId?: string | undefined; executorId?: string | undefined },
  state: TaskState,
  message: string,
  reason: string,
  known: Pick<TaskStatus, 'container_status' | 'healthy'> = {},
): TaskStatus {
  return {
    task_id: { value: task.taskId },
    state,
    message,
    source: 'SOURCE_MASTER',
    reason,
    ...(task.agentId === undefined ? {} : { agent_id: { value: task.agentId } }),
    ...(task.executorId === undefined ? {} : { executor_id: { value: task.executorId } }),
    timestamp: seconds(master.ports.now()),
    ...known,
  };
}

/** Returns addresses and health from earlier updates. Source: getTaskHealth of src/common/protobuf_utils.cpp. */
export function knownDetails(task: Task): Pick<TaskStatus, 'container_status' | 'healthy'> {
  const container_status = task.statuses.findLast((s) => s.container_status)?.container_status;
  const healthy = task.statuses.at(-1)?.healthy;
  return { ...(container_status && { container_status }), ...(healthy !== undefined && { healthy }) };
}

/** Returns the ids of a task for `createMasterStatus`. The master knows no executor of a command task. */
export function taskNames(task: Task): { taskId: string; agentId: string; executorId?: string | undefined } {
  return {
    taskId: task.info.task_id.value,
    agentId: task.agentId,
    executorId: task.info.executor?.executor_id.value,
  };
}

/** Returns the role that a task's or executor's resources are allocated to. */
export function allocationRole(framework: Framework, resources: TaskInfo['resources'] | undefined): string {
  return resources?.find((r) => r.allocation_info?.role)?.allocation_info?.role ?? framework.roles[0] ?? '*';
}

/** Allocates resources of an agent to a framework. */
export function takeResources(
  agent: Agent | undefined,
  framework: Framework | undefined,
  role: string,
  amounts: Amounts,
): void {
  if (agent) agent.available = subtract(agent.available, amounts);
  if (framework) hold(framework, role, amounts, 1);
}

/** Reverts `takeResources`. */
export function returnResources(
  agent: Agent | undefined,
  framework: Framework | undefined,
  role: string,
  amounts: Amounts,
): void {
  if (agent) agent.available = add(agent.available, amounts);
  if (framework) hold(framework, role, amounts, -1);
}

function hold(framework: Framework, role: string, amounts: Amounts, sign: 1 | -1): void {
  const held = framework.held.get(role) ?? new Map<string, number>();
  framework.held.set(role, held);
  for (const [name, milli] of plainAmounts(amounts).scalars)
    held.set(name, (held.get(name) ?? 0) + sign * milli);
}

export function executorAmounts(executor: ExecutorInfo): Amounts {
  return heldAmounts(executor.resources ?? []);
}

/** Finds a framework's executor on an agent. */
export function executorOn(agent: Agent, frameworkId: string, executorId: string): ExecutorInfo | undefined {
  return agent.executors.get(frameworkId)?.get(executorId);
}

export function sendEvent(framework: Framework, event: SchedulerEvent): void {
  framework.stream?.send(event);
}
