/** What a task tells the test executor to do, as JSON in `TaskInfo.data`, and what the executor tells in return. */

import type { ExecutorEvent, TaskState } from '../../../src/mesos/types.ts';

export interface Behaviour {
  /** Sent one after the other without waiting; TASK_RUNNING alone by default. */
  updates?: { state: TaskState; message?: string }[];
  /** Exit with this code once every update sent has been acknowledged, tasks or no tasks. */
  exit?: number;
  /** What a KILL does: TASK_KILLED, or nothing. */
  kill?: 'obey' | 'ignore';
  /** What SHUTDOWN does: exit, or nothing. */
  shutdown?: 'obey' | 'ignore';
  /** What the end of the connection does: subscribe again, or nothing for ever after. */
  disconnect?: 'return' | 'stay silent';
  /** Die by a signal on the launch, before anything is known of the task. */
  die?: boolean;
  /** Send this update uuid first; the refusal is reported. */
  uuid?: string;
  /** Send the framework a message after the first update. */
  message?: string;
}

/** In the data of the task's TASK_RUNNING. */
export interface Report {
  pid: number;
  parent: number;
  directory: string;
  environment: Record<string, string>;
  /** The answer to an update with `Behaviour.uuid`; absent where it was taken. */
  refusal?: { status: number | undefined; message: string };
}

/** In the data of TASK_KILLED: the KILL that asked for it. */
export type KillReport = Extract<ExecutorEvent, { type: 'KILL' }>;

export function encodeJson(value: unknown): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64');
}

export function decodeJson<T>(base64: string | undefined): T {
  return JSON.parse(Buffer.from(base64 ?? '', 'base64').toString('utf8')) as T;
}
