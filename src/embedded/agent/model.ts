/** What the agent knows, and the ports through which it touches the world. */

import type { Timer } from '../../mesos/retry.ts';
import type {
  AgentInfo,
  ExecutorEvent,
  ExecutorInfo,
  FrameworkInfo,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../../mesos/types.ts';
import type { ProcessId } from '../../proc/process-id.ts';
import type { AgentMessage, DrainConfig } from '../wire/agent-link.ts';
import type { EventStream } from '../wire/http.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Launcher } from './processes.ts';
import type { StatusUpdates } from './updates.ts';

export type ExecutorStream = EventStream<ExecutorEvent>;

export interface AgentTask {
  readonly info: TaskInfo;
  /** The latest state, ahead of what the framework has acknowledged. */
  state: TaskState;
  statuses: TaskStatus[];
}

/** Why an executor is being ended, for the updates of the tasks it leaves. */
export interface Termination {
  state: TaskState;
  reason: string;
  message: string;
}

export interface Executor {
  readonly frameworkId: string;
  readonly id: string;
  readonly info: ExecutorInfo;
  /** True where the agent made it up to run a command task; the master doesn't know it. */
  readonly forCommand: boolean;
  /** Of this run; the last segment of the sandbox. */
  readonly containerId: string;
  /** The sandbox. */
  readonly directory: string;
  readonly checkpoint: boolean;
  state: 'REGISTERING' | 'RUNNING' | 'TERMINATING' | 'TERMINATED';
  process?: ProcessId;
  stream?: ExecutorStream;
  /** Tasks that wait for the executor to subscribe. */
  readonly queued: Map<string, TaskInfo>;
  readonly launched: Map<string, AgentTask>;
  /** Ended, the last update not acknowledged yet. */
  readonly terminated: Map<string, AgentTask>;
  /** True once a task was sent to it. */
  everSentTask: boolean;
  termination?: Termination;
  cancelRegistration?: () => void;
  cancelShutdown?: () => void;
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
  /** Given to every executor besides what Mesos sets; undefined where the flag is absent. */
  executorEnvironment: Readonly<Record<string, string>>;
  /** The program that runs command tasks, as argv. */
  commandExecutor: readonly string[];
  /** Which changes of the configuration keep the agent's id and its tasks. */
  reconfigurationPolicy: 'equal' | 'additive';
  /** Signs a token for each executor; without it they get none. */
  jwtKey?: Uint8Array;
}

interface AgentPorts {
  /** Milliseconds since the epoch. */
  now(): number;
  timer: Timer;
  /** A random UUID, as text. */
  uuid(): string;
  /** A random UUID as status updates carry it. */
  updateUuid(): string;
  launcher: Launcher;
  checkpoint: Checkpoint;
  log(line: string): void;
  /** Ends the agent; what it still runs goes on. */
  end(code: number, message: string): void;
}

export interface Agent {
  info: AgentInfo;
  /** Where its API answers. */
  readonly ip: string;
  readonly port: number;
  readonly settings: AgentSettings;
  readonly ports: AgentPorts;
  readonly frameworks: Map<string, AgentFramework>;
  readonly updates: StatusUpdates;
  /** True until the executors of an earlier run are back, or given up. */
  recovering: boolean;
  /** True from the moment it is stopped; what its processes do after that is no concern of it. */
  stopped: boolean;
  /** True once the master has said that it belongs to it. */
  registered: boolean;
  /** True once the master has said to shut down: it ends with its last executor. */
  terminating: boolean;
  /** An operator has it emptied; until nothing of any framework is left here. */
  drain?: DrainConfig;
  /** The master it is connected to, `host:port`. */
  master?: string;
  /** Sends to the master, while connected. */
  toMaster?: (message: AgentMessage) => void;
  /** Milliseconds since the epoch. */
  readonly startTime: number;
}

/** Seconds, as Mesos stamps updates. */
export function nowSeconds(agent: Agent): number {
  return agent.ports.now() / 1000;
}

/** The id the master gave; registered agents have one. */
export function agentId(agent: Agent): string {
  return agent.info.id?.value ?? '';
}

export function isPartitionAware(info: FrameworkInfo): boolean {
  return info.capabilities?.some((c) => c.type === 'PARTITION_AWARE') ?? false;
}

/** The executor that has a task, in whatever stage. */
export function executorOf(framework: AgentFramework, taskId: string): Executor | undefined {
  for (const executor of framework.executors.values()) {
    if (executor.queued.has(taskId) || executor.launched.has(taskId) || executor.terminated.has(taskId)) {
      return executor;
    }
  }
  return undefined;
}
