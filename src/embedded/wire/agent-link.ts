/**
 * How the embedded agent and master talk; both ends are ours, so this is no Mesos protocol.
 *
 * The agent POSTs to `/agent-link` on the master. Request and answer are both RecordIO streams of JSON messages,
 * open at the same time for as long as the link lives. The agent's first message is REGISTER, with everything it
 * holds; the master answers REGISTERED with the agent's id. The master sends PING every `agent_ping_timeout` and the
 * agent answers PONG. When the connection breaks the agent is disconnected, and registers again over a new one, with
 * the id it was given: as soon as ZooKeeper tells of a leader, or else once pings were missing for too long.
 *
 * An agent with a credential sends it as HTTP basic authentication (a real one proves it with CRAM-MD5, without
 * sending the secret). 401 refuses it, or the lack of it; 503 comes from a master that does not lead.
 */

import type {
  AgentInfo,
  DurationInfo,
  ExecutorInfo,
  FrameworkInfo,
  KillPolicy,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../../mesos/types.ts';

/** Where on the master an agent connects. */
export const AGENT_LINK_PATH = '/agent-link';

/** How an operator wants an agent emptied; a message of Mesos. */
export interface DrainConfig {
  /** The most that the tasks' own kill policies are given. */
  max_grace_period?: DurationInfo;
  mark_gone: boolean;
}

/** A task as an agent reports it when it registers. */
export interface ReportedTask {
  framework_id: string;
  info: TaskInfo;
  /** The latest state the agent knows, whose resources are in use unless it is terminal. */
  state: TaskState;
  /** State and uuid of the update that waits for its acknowledgement. */
  status_update_state?: TaskState;
  status_update_uuid?: string;
  statuses: TaskStatus[];
}

export type AgentMessage =
  | {
      type: 'REGISTER';
      /** With `id` where the agent had one before. */
      agent_info: AgentInfo;
      /** Where the agent's API answers. */
      ip: string;
      version: string;
      frameworks: FrameworkInfo[];
      /** Executors of frameworks; those that run command tasks are the agent's own affair. */
      executors: ExecutorInfo[];
      tasks: ReportedTask[];
    }
  | { type: 'PONG' }
  | {
      type: 'UPDATE';
      framework_id: string;
      status: TaskStatus;
      /** The task's state by now, which may be ahead of an update that waited for its turn. */
      latest_state: TaskState;
    }
  | { type: 'EXITED_EXECUTOR'; framework_id: string; executor_id: string; status: number }
  | { type: 'EXECUTOR_MESSAGE'; framework_id: string; executor_id: string; data: string };

export type MasterMessage =
  | {
      type: 'REGISTERED';
      agent_id: string;
      /** `MasterSlaveConnection.total_ping_timeout_seconds` of a real master. */
      total_ping_timeout_ms: number;
      /** Tasks the master has on this agent and the agent did not name. */
      reconcile: { framework: FrameworkInfo; task_ids: string[] }[];
    }
  | { type: 'PING' }
  | {
      type: 'RUN_TASK';
      framework: FrameworkInfo;
      task: TaskInfo;
      /** Whether the master expects this launch to start the executor; undefined for a command task. */
      launch_executor?: boolean;
    }
  | { type: 'KILL_TASK'; framework_id: string; task_id: string; kill_policy?: KillPolicy }
  | { type: 'ACKNOWLEDGE'; framework_id: string; task_id: string; uuid: string }
  | { type: 'SHUTDOWN_EXECUTOR'; framework_id: string; executor_id: string }
  | { type: 'SHUTDOWN_FRAMEWORK'; framework_id: string }
  | { type: 'UPDATE_FRAMEWORK'; framework: FrameworkInfo }
  | { type: 'DRAIN'; config: DrainConfig }
  /** End all executors, then the agent itself. */
  | { type: 'SHUTDOWN'; message: string }
  | { type: 'FRAMEWORK_MESSAGE'; framework_id: string; executor_id: string; data: string };
