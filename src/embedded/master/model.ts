/** What the master knows, all of it in memory, and the ports through which it touches the world. */

import { type Amounts, add, amountsOf, subtract } from '../../mesos/resources.ts';
import type { Timer } from '../../mesos/retry.ts';
import type {
  AgentInfo,
  ExecutorInfo,
  FrameworkInfo,
  MasterInfo,
  OfferConstraints,
  SchedulerEvent,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../../mesos/types.ts';
import type { DrainConfig, MasterMessage } from '../wire/agent-link.ts';
import type { EventStream } from '../wire/http.ts';
import type { Refusal } from './allocator.ts';
import type { Metrics } from './metrics.ts';

/** A framework's subscription; its id is the Mesos-Stream-Id of the answer. */
export interface SchedulerStream extends EventStream<SchedulerEvent> {
  readonly id: string;
}

export type AgentStream = EventStream<MasterMessage>;

export interface Task {
  readonly info: TaskInfo;
  readonly frameworkId: string;
  readonly agentId: string;
  readonly amounts: Amounts;
  /** The latest state; resources are in use until it is terminal. */
  state: TaskState;
  /** State and uuid of the last update that was forwarded: what reconciliation tells, and what is acknowledged. */
  updateState?: TaskState;
  updateUuid?: string;
  statuses: TaskStatus[];
}

export interface Framework {
  readonly id: string;
  info: FrameworkInfo;
  roles: string[];
  suppressed: Set<string>;
  /** Which agents it wants offers of. */
  offerConstraints: OfferConstraints;
  stream?: SchedulerStream;
  /** Known from its agents only, since this master started. */
  recovered: boolean;
  /** Seconds since the epoch. */
  registeredTime: number;
  reregisteredTime?: number;
  unregisteredTime?: number;
  readonly tasks: Map<string, Task>;
  readonly unreachableTasks: Map<string, Task>;
  /** The newest last, at most MAX_COMPLETED. */
  readonly completedTasks: Task[];
  /** What it holds in tasks, executors and offers, by role; scalars in thousandths. */
  readonly held: Map<string, Map<string, number>>;
  /** What it refused for a while, by agent id. */
  readonly refusals: Map<string, Refusal[]>;
  cancelFailover?: () => void;
}

export interface Agent {
  readonly id: string;
  info: AgentInfo;
  /** Where its API answers. */
  ip: string;
  version: string;
  stream?: AgentStream;
  registeredTime: number;
  reregisteredTime?: number;
  total: Amounts;
  /** The total less tasks, executors and outstanding offers. */
  available: Amounts;
  /** By framework id, then executor id; only executors that frameworks gave. */
  readonly executors: Map<string, Map<string, ExecutorInfo>>;
  /** By `taskKey`. */
  readonly tasks: Map<string, Task>;
  /** Tasks to be killed, by `taskKey`: told again when the agent comes back. */
  readonly killed: Set<string>;
  missedPings: number;
  cancelPing?: () => void;
  /** When its draining was asked for, by this master; seconds since the epoch. */
  drainStartTime?: number;
}

/** Of an agent that an operator had emptied; a message of Mesos. */
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
  /** After which an offer is taken back; never where it is undefined. */
  offerTimeoutMs?: number;
}

interface MasterPorts {
  /** Milliseconds since the epoch. */
  now(): number;
  timer: Timer;
  log(line: string): void;
  /** Keeps what the registry must hold by now. Resolves once it is safe; where that fails the master ends. */
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
  /** Who leads as far as is known: this master, another, or nobody. */
  leader?: MasterInfo;
  /** When this master was elected, in milliseconds since the epoch. */
  electedTime?: number;
  /** True from the election until the registry is read. */
  recovering: boolean;
  /** False where the registry is in memory alone. */
  readonly registryKept: boolean;
  readonly frameworks: Map<string, Framework>;
  readonly completedFrameworks: Map<string, Framework>;
  readonly agents: Map<string, Agent>;
  /** When each agent was marked unreachable, in milliseconds since the epoch. */
  readonly unreachableAgents: Map<string, number>;
  /** Agents that the registry knew when this master was elected and that have not come back since. */
  readonly recoveredAgents: Map<string, AgentInfo>;
  /** Agents without offers, by an operator's wish. */
  readonly deactivated: Set<string>;
  readonly draining: Map<string, DrainInfo>;
  /** Agents that may not come back, and since when, in milliseconds since the epoch. */
  readonly gone: Map<string, number>;
  readonly offers: Map<string, OutstandingOffer>;
  /** Counters behind the ids given out. */
  readonly next: { framework: number; agent: number; offer: number };
  /** True while an allocation waits for its turn. */
  allocationPending: boolean;
}

/** Most tasks and frameworks that are remembered after their end, as the real master's flags have it. */
export const MAX_COMPLETED_TASKS = 1000;
export const MAX_COMPLETED_FRAMEWORKS = 50;

export function leads(master: Master): boolean {
  return master.leader?.id === master.id;
}

/** True while offers of an agent may be made. */
export function isActive(master: Master, agent: Agent): boolean {
  return agent.stream !== undefined && !master.deactivated.has(agent.id);
}

export function taskKey(frameworkId: string, taskId: string): string {
  return `${frameworkId}/${taskId}`;
}

export function hasCapability(info: FrameworkInfo, type: string): boolean {
  return info.capabilities?.some((c) => c.type === type) ?? false;
}

/** The state a partition-aware framework is told, or TASK_LOST, which covers them all for the others. */
export function lostState(info: FrameworkInfo, state: TaskState): TaskState {
  return hasCapability(info, 'PARTITION_AWARE') ? state : 'TASK_LOST';
}

/** The roles a framework stands for: `roles` with MULTI_ROLE, otherwise the older `role`. */
export function rolesOf(info: FrameworkInfo & { role?: string }): string[] {
  return hasCapability(info, 'MULTI_ROLE') ? [...(info.roles ?? [])] : [info.role ?? '*'];
}

/** Seconds since the epoch, as Mesos stamps everything. */
export function seconds(ms: number): number {
  return ms / 1000;
}

/**
 * An update of the master's own making: without uuid, so never acknowledged.
 * @param known what the task's updates said besides: see `knownOf`
 */
export function masterStatus(
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

/** Where the task is and how it was by its latest update. Source: getTaskHealth of src/common/protobuf_utils.cpp. */
export function knownOf(task: Task): Pick<TaskStatus, 'container_status' | 'healthy'> {
  const container_status = task.statuses.findLast((s) => s.container_status)?.container_status;
  const healthy = task.statuses.at(-1)?.healthy;
  return { ...(container_status && { container_status }), ...(healthy !== undefined && { healthy }) };
}

/** Names a task for `masterStatus`. A command task has no executor that the master knows. */
export function taskNames(task: Task): { taskId: string; agentId: string; executorId?: string | undefined } {
  return {
    taskId: task.info.task_id.value,
    agentId: task.agentId,
    executorId: task.info.executor?.executor_id.value,
  };
}

/** The role a task's or executor's resources are allocated to. */
export function allocationRole(framework: Framework, resources: TaskInfo['resources'] | undefined): string {
  return resources?.find((r) => r.allocation_info?.role)?.allocation_info?.role ?? framework.roles[0] ?? '*';
}

/** Takes resources of an agent for a framework. */
export function take(
  agent: Agent | undefined,
  framework: Framework | undefined,
  role: string,
  amounts: Amounts,
): void {
  if (agent) agent.available = subtract(agent.available, amounts);
  if (framework) hold(framework, role, amounts, 1);
}

/** Gives back what `take` took. */
export function giveBack(
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
  for (const [name, milli] of amounts.scalars) held.set(name, (held.get(name) ?? 0) + sign * milli);
}

export function executorAmounts(executor: ExecutorInfo): Amounts {
  return amountsOf(executor.resources ?? []);
}

/** The executor of that id, if the framework has one on the agent. */
export function executorOn(agent: Agent, frameworkId: string, executorId: string): ExecutorInfo | undefined {
  return agent.executors.get(frameworkId)?.get(executorId);
}

export function tell(framework: Framework, event: SchedulerEvent): void {
  framework.stream?.send(event);
}
