import type { ExecutorCall, ExecutorEvent, TaskInfo, TaskStatus } from './types.ts';

/** What an executor finds in its environment; see readExecutorEnvironment. */
export interface ExecutorEnvironment {
  agentEndpoint: string;
  agentId: string;
  frameworkId: string;
  executorId: string;
  /** The sandbox, an absolute path; its last segment is the id of this run of the executor. */
  directory: string;
  checkpoint: boolean;
  shutdownGraceMs: number;
  recoveryTimeoutMs: number;
  subscriptionBackoffMaxMs: number;
  authenticationToken?: string;
  domainSocket?: string;
}

export interface ExecutorSessionOptions {
  environment: ExecutorEnvironment;
  /** What goes into each SUBSCRIBE. */
  unacknowledged: () => { tasks: TaskInfo[]; updates: { status: TaskStatus }[] };
  /** Every event but HEARTBEAT, in order. */
  onEvent: (event: ExecutorEvent) => void;
  onDisconnected: (reason: string) => void;
  /** The agent is gone for good: not checkpointed, or the recovery timeout has passed. */
  onGaveUp: (reason: string) => void;
}

export interface ExecutorSession {
  start(): void;
  /** Resolves at 202; rejects with MesosCallError otherwise. */
  call(call: Exclude<ExecutorCall, { type: 'SUBSCRIBE' }>): Promise<void>;
  stop(): Promise<void>;
}
