/** The executor's state, inputs and actions. See life-cycle.ts. */

import type { CheckResult, Health } from '../../health/health.ts';
import type { HealthCheck, NetworkInfo, TaskInfo, TaskStatus } from '../../mesos/types.ts';
import type { PolicyReading } from './policy.ts';
import type { ContainerPlan, OwnCommand } from './task-plan.ts';

/**
 * The phase of a task: `preparing` its image (TASK_STARTING), `creating` its container, `starting` it, `running`
 * (its TASK_RUNNING update exists), and `ended` (its terminal update exists).
 */
type Phase = 'preparing' | 'creating' | 'starting' | 'running' | 'ended';

/** Sizes in bytes of the task's files before its container wrote to them: progress lines and warnings. */
export interface OutputStart {
  stdout: number;
  stderr: number;
}

/** The end of a container. */
export interface ContainerExit {
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  /** True if another program removed the container. */
  readonly isRemoved: boolean;
  /** The last lines of stderr, harmless and bounded; empty if there are none. */
  readonly lastLines: string;
}

export interface Kill {
  /** When SIGKILL is due, in milliseconds since the epoch. */
  readonly deadline: number;
  /** Set if the task is killed for its health: the reason. */
  readonly unhealthy?: string;
}

export interface Task {
  readonly id: string;
  readonly phase: Phase;
  /** The TaskInfo of the launch. `data` is dropped once the container exists, since it may contain secrets. */
  readonly info: TaskInfo | undefined;
  /** True once an update of the task was acknowledged. SUBSCRIBE then need not list the task. */
  readonly acknowledged: boolean;
  /** True in the 2013 form: the executor exits when this task has ended. */
  readonly single: boolean;
  /** The container's id while the container exists. */
  readonly container: string | undefined;
  readonly output: OutputStart | undefined;
  /** The container's networks; empty until it runs. */
  readonly networks: readonly NetworkInfo[];
  /** Set when the container runs, if the task has a health check. */
  readonly health: Health | undefined;
  /** Set once a kill was requested or the task's health requires it. */
  readonly kill: Kill | undefined;
  /** Unacknowledged updates, oldest first. */
  readonly updates: readonly TaskStatus[];
}

export interface State {
  readonly tasks: ReadonlyMap<string, Task>;
  /** True if the framework supports TASK_KILLING. */
  readonly supportsKilling: boolean;
  /** True after SHUTDOWN, or when the task of the 2013 form has ended: the executor accepts no more tasks. */
  readonly leaving: boolean;
}

/** Settings that stay the same while the executor runs. */
export interface Constants {
  readonly own: OwnCommand;
  readonly agentId: string;
  readonly executorId: string;
  /** From SHUTDOWN to the end of the last container. */
  readonly shutdownGraceMs: number;
}

/** The time in milliseconds since the epoch, and a source of UUIDs in base64. */
export interface Stamp {
  readonly now: number;
  readonly uuid: () => string;
}

/** A container of this run that a restarted worker found. */
export interface FoundContainer {
  taskId: string;
  container: string;
  /** True if it was started, even if it has ended since. */
  started: boolean;
}

export type ExecutorInput =
  | { type: 'subscribed'; capabilities: readonly string[] }
  | { type: 'launch'; task: TaskInfo; policy: PolicyReading }
  | { type: 'kill'; taskId: string; graceMs: number | undefined }
  | { type: 'acknowledged'; taskId: string; uuid: string }
  /** The agent refused this update as invalid (400). */
  | { type: 'refused'; taskId: string; uuid: string }
  | { type: 'shutdown' }
  /** The worker has restarted and found these containers of this run. */
  | { type: 'recovered'; containers: readonly FoundContainer[] }
  /** The pull of the image goes on; the message says how far it is. */
  | { type: 'pulling'; taskId: string; message: string }
  | { type: 'image-ready'; taskId: string; exposed: readonly string[] }
  | { type: 'created'; taskId: string; container: string; output: OutputStart }
  /** The container runs, after a start or an adoption. */
  | { type: 'running'; taskId: string; networks: readonly NetworkInfo[] }
  /** A health check has a result. */
  | { type: 'checked'; taskId: string; result: CheckResult }
  /** The container has ended and its output is in the files. */
  | { type: 'exited'; taskId: string; exit: ContainerExit }
  /** `invalid`: the task is refused, and would be refused again. */
  | { type: 'failed'; taskId: string; message: string; invalid?: true }
  | { type: 'removed'; taskId: string };

export type ExecutorAction =
  | { type: 'update'; status: TaskStatus }
  /** Pull the image if it is missing, or always with `forcePull`. Answered by pulling, then image-ready or failed. */
  | { type: 'prepare'; taskId: string; image: string; forcePull?: true }
  /** The image is no longer needed for this task. */
  | { type: 'abandon'; taskId: string }
  /** Answered by created or failed. */
  | { type: 'create'; taskId: string; plan: ContainerPlan; exposed: readonly string[] }
  /** Answered by running and then exited, by exited alone, or by failed. */
  | { type: 'start'; taskId: string; container: string; output: OutputStart | undefined }
  /** As start, for a container that was started before. */
  | { type: 'adopt'; taskId: string; container: string; output: OutputStart | undefined }
  /** Run the task's health check once, after `afterMs`. Answered by checked. `hostPorts` are the task's ports. */
  | {
      type: 'check';
      taskId: string;
      container: string;
      check: HealthCheck;
      hostPorts: readonly number[];
      afterMs: number;
    }
  /** Cancel the task's pending or running check. */
  | { type: 'uncheck'; taskId: string }
  | { type: 'stop'; taskId: string; container: string; graceMs: number }
  /** Answered by removed. */
  | { type: 'remove'; taskId: string; container: string }
  | { type: 'exit' };

export const INITIAL: State = { tasks: new Map(), supportsKilling: false, leaving: false };
