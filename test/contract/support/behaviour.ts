/** Instructions of a task for the test executor, as JSON in `TaskInfo.data`, and the executor's reports. */

import type { ExecutorEvent, TaskState } from '../../../src/mesos/types.ts';

export interface Behaviour {
  /** Updates that are sent in order without waiting. Default: only TASK_RUNNING. */
  updates?: { state: TaskState; message?: string }[];
  /** Exit with this code after the acknowledgement of all updates, even with running tasks. */
  exit?: number;
  /** Effect of KILL: TASK_KILLED, or none. */
  kill?: 'obey' | 'ignore';
  /** Effect of SHUTDOWN: exit, or none. */
  shutdown?: 'obey' | 'ignore';
  /** Effect of a disconnect: subscribe again, or hang permanently. */
  disconnect?: 'return' | 'stay silent';
  /** Die by a signal on the launch, before the task is stored. */
  die?: boolean;
  /** Send this update uuid first; the refusal is reported. */
  uuid?: string;
  /** Send the framework a message after the first update. */
  message?: string;
}

/** The data of the task's TASK_RUNNING. */
export interface Report {
  pid: number;
  parent: number;
  directory: string;
  environment: Record<string, string>;
  /** The answer to an update with `Behaviour.uuid`; absent if it was accepted. */
  refusal?: { status: number | undefined; message: string };
}

/** The data of TASK_KILLED: the KILL that requested it. */
export type KillReport = Extract<ExecutorEvent, { type: 'KILL' }>;

export function encodeJson(value: unknown): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64');
}

export function decodeJson<T>(base64: string | undefined): T {
  return JSON.parse(Buffer.from(base64 ?? '', 'base64').toString('utf8')) as T;
}
