/**
 * Reads and writes the files of tasks: the task, the `format`, and the `release` that wrote it. Release 0.1.0 wrote the
 * task only, which is format 1, and ignores the two other fields. As in all stored files, a new field is optional or
 * has an empty default, and a changed meaning increments the format. No library is used, to keep the start fast.
 */

import type { Health } from '../health/health.ts';
import { isEmpty, isJson, parseJson } from '../json.ts';
import {
  type NetworkInfo,
  TASK_STATES,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
} from '../mesos/types.ts';
import { RELEASE } from '../release.ts';
import type { Kill, OutputStart, Task } from './domain/executor-state.ts';

const FORMAT = 1;

/** The content of a file is not a task that this release can read. */
export class TaskFileError extends Error {
  override name = 'TaskFileError';
  /** Set if a later release wrote the file. The task exists; its id is set if it can be read. */
  readonly later: { readonly taskId: string | undefined } | undefined;

  constructor(message: string, later?: TaskFileError['later']) {
    super(message);
    this.later = later;
  }
}

export function taskText(task: Task): string {
  const { networks, ...rest } = task;
  const addresses = networks.flatMap((n) =>
    (n.ip_addresses ?? []).flatMap(({ ip_address }) => ip_address ?? []),
  );
  return JSON.stringify({ format: FORMAT, release: RELEASE, ...rest, addresses });
}

/** @throws TaskFileError with the problem, and with the release to run if a later one wrote the file */
export function parseTask(text: string): Task {
  const value = parseJson(text);
  if (!isJson(value)) throw new TaskFileError('it is damaged: it contains no task');
  const { format = FORMAT, release, ...fields } = value;
  const later = { taskId: typeof fields.id === 'string' ? fields.id : undefined };
  const isOtherRelease = typeof release === 'string' && release !== RELEASE;
  const remedy = isOtherRelease ? `run mesosup ${release}, which wrote it, or a later release` : undefined;
  if (format !== FORMAT) {
    throw new TaskFileError(
      `it has format ${String(format)}, and mesosup ${RELEASE} reads format ${FORMAT}: ` +
        (remedy ?? 'run the release of mesosup that wrote it, or a later one'),
      later,
    );
  }
  try {
    return task(fields, '');
  } catch (error) {
    if (!(error instanceof TaskFileError)) throw error;
    const { message } = error;
    if (remedy === undefined) throw new TaskFileError(`it is damaged: ${message}`);
    throw new TaskFileError(`mesosup ${RELEASE} can't read it, ${message}: ${remedy}`, later);
  }
}

type Read<T> = (value: unknown, field: string) => T;

function wrong(field: string): TaskFileError {
  return new TaskFileError(`its field "${field}" has an unknown value`);
}

const text: Read<string> = (value, field) => {
  if (typeof value !== 'string') throw wrong(field);
  return value;
};

const number: Read<number> = (value, field) => {
  if (typeof value !== 'number') throw wrong(field);
  return value;
};

const flag: Read<boolean> = (value, field) => {
  if (typeof value !== 'boolean') throw wrong(field);
  return value;
};

function word<T extends string>(...known: readonly T[]): Read<T> {
  return (value, field) => {
    const found = known.find((one) => one === value);
    if (found === undefined) throw wrong(field);
    return found;
  };
}

function list<T>(read: Read<T>): Read<T[]> {
  return (value, field) => {
    if (!Array.isArray(value)) throw wrong(field);
    return value.map((one, i) => read(one, `${field}.${i}`));
  };
}

/** JSON leaves out undefined fields. */
function optional<T>(read: Read<T>): Read<T | undefined> {
  return (value, field) => (value === undefined ? undefined : read(value, field));
}

/** Reads an object. The type requires a reader for every field. */
function record<T extends object>(fields: { readonly [K in keyof T]-?: Read<T[K]> }): Read<T> {
  return (value, field) => {
    if (!isJson(value)) throw wrong(field);
    const name = (key: string) => (field === '' ? key : `${field}.${key}`);
    // An unknown field with an empty value is not in use: new fields have empty defaults.
    const unknown = Object.keys(value).find((key) => !(key in fields) && !isEmpty(value[key]));
    if (unknown !== undefined) throw new TaskFileError(`its field "${name(unknown)}" is unknown`);
    const entries = Object.entries(fields) as [string, Read<unknown>][];
    return Object.fromEntries(entries.map(([key, read]) => [key, read(value[key], name(key))])) as T;
  };
}

/** Keeps all fields of Mesos' messages. */
const info: Read<TaskInfo> = (value, field) => {
  if (!isJson(value) || !isJson(value.task_id)) throw wrong(field);
  text(value.task_id.value, `${field}.task_id.value`);
  return value as unknown as TaskInfo;
};

const status: Read<TaskStatus> = (value, field) => {
  if (!isJson(value) || !isJson(value.task_id)) throw wrong(field);
  word<TaskState>(...TASK_STATES)(value.state, `${field}.state`);
  return value as unknown as TaskStatus;
};

const kill: Read<Kill> = (value, field) => {
  const { deadline, unhealthy } = record<{ deadline: number; unhealthy: string | undefined }>({
    deadline: number,
    unhealthy: optional(text),
  })(value, field);
  return { deadline, ...(unhealthy !== undefined && { unhealthy }) };
};

/**
 * A file has only the addresses, since release 0.1.0 knows no more. A restarted worker gets the networks from Docker when
 * it adopts the container.
 */
function networksOf(addresses: readonly string[]): NetworkInfo[] {
  const ip_addresses = addresses.map((ip_address) => {
    const protocol = ip_address.includes(':') ? ('IPv6' as const) : ('IPv4' as const);
    return { protocol, ip_address };
  });
  return addresses.length === 0 ? [] : [{ ip_addresses }];
}

function task(value: unknown, field: string): Task {
  const { addresses, ...rest } = storedTask(value, field);
  return { ...rest, networks: networksOf(addresses) };
}

const storedTask = record<Omit<Task, 'networks'> & { addresses: string[] }>({
  id: text,
  phase: word('preparing', 'creating', 'starting', 'running', 'ended'),
  info: optional(info),
  acknowledged: flag,
  single: flag,
  container: optional(text),
  output: optional(record<OutputStart>({ stdout: number, stderr: number })),
  addresses: list(text),
  health: optional(
    record<Health>({ since: number, healthy: optional(flag), failures: number, failedAt: optional(number) }),
  ),
  kill: optional(kill),
  updates: list(status),
});
