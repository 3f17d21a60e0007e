/**
 * The protocol between the embedded agent and master. It is not Mesos' protocol, since both ends are mesosup's.
 *
 * The agent POSTs to `/agent-link` on the master. Request and answer are both RecordIO streams of JSON messages, open at
 * the same time until the end of the link. The agent's first message is REGISTER, with its tasks and executors; the
 * master answers REGISTERED with the agent's id. The master sends PING every `agent_ping_timeout` and the agent answers
 * PONG. After a lost connection the agent registers again over a new one, with its id: as soon as ZooKeeper has a leader
 * or, without ZooKeeper, after pings were missing for too long.
 *
 * An agent with a credential uses HTTP basic authentication (a real agent uses CRAM-MD5, which does not send the
 * secret). 401 refuses a wrong or missing credential; 503 comes from a master that does not lead.
 */

import type {
  AgentInfo,
  DurationInfo,
  ExecutorInfo,
  FrameworkInfo,
  KillPolicy,
  OperationState,
  Resource,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../../mesos/types.ts';

/** The path on the master to which an agent connects. */
export const AGENT_LINK_PATH = '/agent-link';

/** An operator's drain request for an agent; a message of Mesos. */
export interface DrainConfig {
  /** Limits the grace periods of the tasks' kill policies. */
  max_grace_period?: DurationInfo;
  mark_gone: boolean;
}

/** A task in an agent's registration. */
export interface ReportedTask {
  framework_id: string;
  info: TaskInfo;
  /** The latest state known to the agent. Resources are in use unless it is terminal. */
  state: TaskState;
  /** State and uuid of the unacknowledged update in flight. */
  status_update_state?: TaskState;
  status_update_uuid?: string;
  statuses: TaskStatus[];
}

/** The result of an operation on resources. */
export interface ReportedOperation {
  uuid: string;
  /** Identifies this report for the acknowledgement; base64. */
  status_uuid: string;
  framework_id: string;
  /** The framework's id; absent if the master acknowledges for it. */
  operation_id?: string;
  state: OperationState;
}

export type AgentMessage =
  | {
      type: 'REGISTER';
      /** Contains `id` if the agent had one before. */
      agent_info: AgentInfo;
      /** The address of the agent's API. */
      ip: string;
      version: string;
      frameworks: FrameworkInfo[];
      /** Executors of frameworks, without the executors that the agent created for command tasks. */
      executors: ExecutorInfo[];
      tasks: ReportedTask[];
      /** Reserved resources and volumes, without allocation. They replace parts of `agent_info.resources`. */
      reserved?: Resource[];
      /** Uuids of operations whose result is not acknowledged yet. */
      operations?: string[];
    }
  | { type: 'PONG' }
  /** The result of an operation, repeated until it is acknowledged. */
  | { type: 'OPERATION'; operation: ReportedOperation }
  | {
      type: 'UPDATE';
      framework_id: string;
      status: TaskStatus;
      /** The task's current state, which may be newer than the update. */
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
      /** Tasks of this agent that the master knows and the agent did not report. */
      reconcile: { framework: FrameworkInfo; task_ids: string[] }[];
    }
  | { type: 'PING' }
  | {
      type: 'RUN_TASK';
      framework: FrameworkInfo;
      task: TaskInfo;
      /** True if the master expects this launch to start the executor; undefined for a command task. */
      launch_executor?: boolean;
    }
  /** Makes these the reserved resources of the agent: creates and deletes volumes, and reports OPERATION_FINISHED. */
  | {
      type: 'APPLY_OPERATION';
      uuid: string;
      framework_id: string;
      operation_id?: string;
      reserved: Resource[];
    }
  | { type: 'ACKNOWLEDGE_OPERATION'; uuid: string; status_uuid: string }
  | { type: 'KILL_TASK'; framework_id: string; task_id: string; kill_policy?: KillPolicy }
  | { type: 'ACKNOWLEDGE'; framework_id: string; task_id: string; uuid: string }
  | { type: 'SHUTDOWN_EXECUTOR'; framework_id: string; executor_id: string }
  | { type: 'SHUTDOWN_FRAMEWORK'; framework_id: string }
  | { type: 'UPDATE_FRAMEWORK'; framework: FrameworkInfo }
  | { type: 'DRAIN'; config: DrainConfig }
  /** End all executors, then the agent itself. */
  | { type: 'SHUTDOWN'; message: string }
  | { type: 'FRAMEWORK_MESSAGE'; framework_id: string; executor_id: string; data: string };
