/** The agent's state, and its ports to the environment. */

import type { Timer } from '../../mesos/retry.ts';
import type {
  AgentInfo,
  ExecutorEvent,
  ExecutorInfo,
  FrameworkInfo,
  Resource,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../../mesos/types.ts';
import type { ProcessId } from '../../proc/process-id.ts';
import type { AgentMessage, DrainConfig, ReportedOperation } from '../wire/agent-link.ts';
import type { EventStream } from '../wire/http.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Launcher } from './processes.ts';
import type { StatusUpdates } from './updates.ts';
import type { UserIds } from './users.ts';

export type ExecutorStream = EventStream<ExecutorEvent>;

export interface AgentTask {
  readonly info: TaskInfo;
  /** The latest state, which the framework may not have acknowledged yet. */
  state: TaskState;
  statuses: TaskStatus[];
}

/** The reason why an executor is ended, for the updates of its remaining tasks. */
export interface Termination {
  state: TaskState;
  reason: string;
  message: string;
}

export interface Executor {
  readonly frameworkId: string;
  readonly id: string;
  readonly info: ExecutorInfo;
  /** True if the agent created it to run a command task; the master doesn't know it. */
  readonly forCommand: boolean;
  /** Identifies this run; the last segment of the sandbox. */
  readonly containerId: string;
  /** The sandbox. */
  readonly directory: string;
  readonly checkpoint: boolean;
  state: 'REGISTERING' | 'RUNNING' | 'TERMINATING' | 'TERMINATED';
  process?: ProcessId;
  stream?: ExecutorStream;
  /** Tasks waiting for the executor's subscription. */
  readonly queued: Map<string, TaskInfo>;
  readonly launched: Map<string, AgentTask>;
  /** Ended tasks whose last update is not acknowledged yet. */
  readonly terminated: Map<string, AgentTask>;
  /** The user of the sandbox, if it is not the agent's. */
  user?: UserIds;
  /** True once a task was sent to it. */
  everSentTask: boolean;
  termination?: Termination;
  cancelRegistration?: () => void;
  cancelShutdown?: () => void;
  /** Set while its URIs are fetched. */
  cancelFetch?: () => void;
}

export interface AgentFramework {
  readonly id: string;
  info: FrameworkInfo;
  readonly executors: Map<string, Executor>;
  terminating: boolean;
}

/** Durations in milliseconds. */
export interface AgentSettings {
  workDir: string;
  executorRegistrationTimeoutMs: number;
  executorReregistrationTimeoutMs: number;
  executorShutdownGracePeriodMs: number;
  recoveryTimeoutMs: number;
  /** From the end of an executor to the removal of its sandbox, on an empty disk. */
  gcDelayMs: number;
  /** Share of the disk that is to stay free, 0 to 1. */
  gcDiskHeadroom: number;
  diskWatchIntervalMs: number;
  /** Variables for every executor in addition to Mesos' own. */
  executorEnvironment: Readonly<Record<string, string>>;
  /** The program that runs command tasks, as argv. */
  commandExecutor: readonly string[];
  /** Changes of the configuration with which the agent keeps its id and its tasks. */
  reconfigurationPolicy: 'equal' | 'additive';
  /** The key that signs a token for each executor; without it, executors get no token. */
  jwtKey?: Uint8Array;
}

interface AgentPorts {
  /** Milliseconds since the epoch. */
  now(): number;
  timer: Timer;
  /** A random UUID, as text. */
  uuid(): string;
  /** A random UUID in the format of status updates. */
  updateUuid(): string;
  launcher: Launcher;
  checkpoint: Checkpoint;
  log(line: string): void;
  /** Ends the agent. Its executors continue to run. */
  end(code: number, message: string): void;
}

export interface Agent {
  info: AgentInfo;
  /** The address of its API. */
  readonly ip: string;
  readonly port: number;
  readonly settings: AgentSettings;
  readonly ports: AgentPorts;
  readonly frameworks: Map<string, AgentFramework>;
  readonly updates: StatusUpdates;
  /** Reserved resources and volumes, as the master applied them. */
  reserved: Resource[];
  /** Results of operations that are not acknowledged yet, by uuid. */
  readonly operations: Map<string, ReportedOperation>;
  cancelOperations?: () => void;
  /** True until each executor of an earlier run has subscribed again or was given up. */
  recovering: boolean;
  /** True after a stop. Later events of its processes are ignored. */
  stopped: boolean;
  /** True after the master has confirmed the registration. */
  registered: boolean;
  /** True after the master has requested a shutdown: the agent ends with its last executor. */
  terminating: boolean;
  /** Set while an operator drains the agent, until no framework is left on it. */
  drain?: DrainConfig;
  /** The master it is connected to, `host:port`. */
  master?: string;
  /** Sends to the master, while connected. */
  toMaster?: (message: AgentMessage) => void;
  /** Milliseconds since the epoch. */
  readonly startTime: number;
}

/** The current time in seconds, as in Mesos' updates. */
export function nowSeconds(agent: Agent): number {
  return agent.ports.now() / 1000;
}

/** The id from the master; empty before the registration. */
export function agentId(agent: Agent): string {
  return agent.info.id?.value ?? '';
}

export function isPartitionAware(info: FrameworkInfo): boolean {
  return info.capabilities?.some((c) => c.type === 'PARTITION_AWARE') ?? false;
}

/** Finds the executor that has a task, in any state. */
export function executorOf(framework: AgentFramework, taskId: string): Executor | undefined {
  for (const executor of framework.executors.values()) {
    if (executor.queued.has(taskId) || executor.launched.has(taskId) || executor.terminated.has(taskId)) {
      return executor;
    }
  }
  return undefined;
}
