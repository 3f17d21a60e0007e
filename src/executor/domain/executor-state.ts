/** What the executor knows, what it learns, and what it does about it. See life-cycle.ts. */

import type { CheckResult, Health } from '../../health/health.ts';
import type { HealthCheck, TaskInfo, TaskStatus } from '../../mesos/types.ts';
import type { ContainerPlan, OwnCommand } from './task-plan.ts';

/**
 * How far a task has come: `preparing` its image (TASK_STARTING), `creating` its container, `starting` it, and
 * `running` (TASK_RUNNING was made). It has `ended` once its terminal update was made.
 */
type Phase = 'preparing' | 'creating' | 'starting' | 'running' | 'ended';

/** How many bytes of the task's files were there before its container wrote any: progress lines and warnings. */
export interface OutputStart {
  stdout: number;
  stderr: number;
}

export interface Kill {
  /** When SIGKILL is due, in milliseconds since the epoch. */
  readonly deadline: number;
  /** Why the task was killed for its health, if it was. */
  readonly unhealthy?: string;
}

export interface Task {
  readonly id: string;
  readonly phase: Phase;
  /** As launched; `data` is dropped once the container exists, since it may hold secrets. */
  readonly info: TaskInfo | undefined;
  /** One of its updates was acknowledged, so that it needn't be told to the agent in SUBSCRIBE. */
  readonly acknowledged: boolean;
  /** The 2013 form: the executor leaves with this task. */
  readonly single: boolean;
  /** The container's id, while there is one. */
  readonly container: string | undefined;
  readonly output: OutputStart | undefined;
  /** The container's addresses on Docker's networks, since it was seen running. */
  readonly addresses: readonly string[];
  /** Where the task has a health check, since it was seen running. */
  readonly health: Health | undefined;
  /** Asked for, or due to the task's health. */
  readonly kill: Kill | undefined;
  /** Made and not acknowledged, oldest first. */
  readonly updates: readonly TaskStatus[];
}

export interface State {
  readonly tasks: ReadonlyMap<string, Task>;
  /** The framework knows TASK_KILLING. */
  readonly tellsKilling: boolean;
  /** No more tasks are taken: after SHUTDOWN, or when the one task of the 2013 form has ended. */
  readonly leaving: boolean;
}

/** What stays the same for as long as the executor runs. */
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

/** A container of this run, as found when the worker has come back. */
export interface FoundContainer {
  taskId: string;
  container: string;
  /** It was started, whether or not it still runs. */
  started: boolean;
}

export type ExecutorInput =
  | { type: 'subscribed'; capabilities: readonly string[] }
  | { type: 'launch'; task: TaskInfo }
  | { type: 'kill'; taskId: string; graceMs: number | undefined }
  | { type: 'acknowledged'; taskId: string; uuid: string }
  /** The agent didn't take this update for one (400). */
  | { type: 'refused'; taskId: string; uuid: string }
  | { type: 'shutdown' }
  /** The worker has come back: these are the containers of this run. */
  | { type: 'recovered'; containers: readonly FoundContainer[] }
  | { type: 'image-ready'; taskId: string; exposed: readonly string[] }
  | { type: 'created'; taskId: string; container: string; output: OutputStart }
  /** It has been seen running, after a start or an adoption. */
  | { type: 'running'; taskId: string; addresses: readonly string[] }
  /** What a health check found. */
  | { type: 'checked'; taskId: string; result: CheckResult }
  /** It ended and its output is in the files. */
  | { type: 'exited'; taskId: string; exitCode: number; outOfMemory: boolean }
  | { type: 'failed'; taskId: string; message: string }
  | { type: 'removed'; taskId: string };

export type ExecutorAction =
  | { type: 'update'; status: TaskStatus }
  /** See that the image is here; pull it if not, or in any case with `forcePull`. Answered by image-ready or failed. */
  | { type: 'prepare'; taskId: string; image: string; forcePull?: true }
  /** The image is no longer needed for this task. */
  | { type: 'abandon'; taskId: string }
  /** Answered by created or failed. */
  | { type: 'create'; taskId: string; plan: ContainerPlan; exposed: readonly string[] }
  /** Answered by running and then exited, by exited alone, or by failed. */
  | { type: 'start'; taskId: string; container: string; output: OutputStart | undefined }
  /** As start, for a container that was started before. */
  | { type: 'adopt'; taskId: string; container: string; output: OutputStart | undefined }
  /** Look after the task's health once, in a while. Answered by checked. */
  | { type: 'check'; taskId: string; container: string; check: HealthCheck; afterMs: number }
  /** No check that waits or is under way is of interest any more. */
  | { type: 'uncheck'; taskId: string }
  | { type: 'stop'; taskId: string; container: string; graceMs: number }
  /** Answered by removed. */
  | { type: 'remove'; taskId: string; container: string }
  | { type: 'exit' };

export const INITIAL: State = { tasks: new Map(), tellsKilling: false, leaving: false };
