/**
 * The content of `TaskInfo.data` for the Docker executor: the app's JSON as in API v1, and in the shared form (one
 * executor for many tasks) a `docker` part that describes the container completely. A task without that part has the
 * 2013 form: the executor's own command line holds the image and the arguments.
 */

import {
  anyValue,
  flag,
  listOf,
  mapOf,
  matchesShape,
  type ObjectOf,
  objectOf,
  oneOf,
  type Shape,
  text,
  wholeNumber,
} from './domain/json-shape.ts';

/** @param options the field's options for `docker create`; without it, create-command.ts handles the field */
function required<T>(shape: Shape<T>, options?: (value: T) => readonly string[]) {
  return { shape, optional: false, options } as const;
}

function optional<T>(shape: Shape<T>, options?: (value: T) => readonly string[]) {
  return { shape, optional: true, options } as const;
}

const port = wholeNumber(1, 65_535);

/** A port of the host, and the port of the container that it forwards to. */
const portPair = {
  host: required(port),
  container: required(port),
  protocol: required(oneOf('tcp', 'udp', 'sctp')),
};

/** A directory or file in the sandbox of the task, mounted at another path. */
const sandboxVolume = {
  /** The names of its path in the sandbox; empty for the sandbox itself. */
  names: required(listOf(text)),
  /** An absolute path in the container. */
  target: required(text),
  readOnly: required(flag),
};

/**
 * One container to run. The type, the executor's validation and the `docker create` options are derived from this. A
 * new field is optional: an executor of an older release refuses a task with an unknown field, so the scheduler sends a
 * field only for apps that use it. Options come in the order of the fields; if an option occurs twice, Docker uses the
 * last one.
 */
const dockerFields = {
  image: required(text),
  /** The container's arguments, already split and expanded. */
  args: required(listOf(text)),
  /** The app's environment with PORT0…PORTn, PORT and PORTS; precedence is already resolved. */
  env: required(mapOf(text)),
  /** The ports to publish. Without it, the image's EXPOSEd ports are paired with the task's ports in order. */
  ports: optional(listOf(objectOf(portPair))),
  /** Pull the image even if it is present. */
  forcePull: optional(flag),
  /** Limit the CPU time to the task's CPUs, or not. Without it, the agent's policy decides. */
  cpuQuota: optional(flag),
  /** Mounted before all options. */
  sandboxVolumes: optional(listOf(objectOf(sandboxVolume))),
  /** Names in the executor's sandbox of volumes that the agent mounts there; the container sees them in its sandbox. */
  persistentVolumes: optional(listOf(text)),
  /** Passed on to `docker create` verbatim, in order. */
  options: required(listOf(text), (words) => words),
};

export type PortPair = ObjectOf<typeof portPair>;
export type SandboxVolume = ObjectOf<typeof sandboxVolume>;
export type DockerTask = ObjectOf<typeof dockerFields>;

const dockerTask = objectOf(dockerFields, { name: 'an object with an image' });

/** @returns the problem of the `docker` part; undefined if it is a DockerTask */
export function dockerProblem(docker: unknown): string | undefined {
  return dockerTask.problem(docker, 'docker');
}

/** Converts the fields of a task into options of `docker create`. */
export function createOptions(task: DockerTask): string[] {
  return Object.entries(dockerFields).flatMap(([name, { options }]) => {
    const value = task[name as keyof DockerTask];
    return value === undefined || !options ? [] : (options as (value: unknown) => readonly string[])(value);
  });
}

const IMAGE = /^[A-Za-z0-9][A-Za-z0-9_.:@-]*(?:\/[A-Za-z0-9][A-Za-z0-9_.:@-]*)*$/;

/** True if the name is valid in a request to Docker. The scheduler and the executor share this check. */
export function isImageName(image: string): boolean {
  return IMAGE.test(image);
}

export interface TaskData {
  /** The app's id. */
  id: string;
  docker?: DockerTask;
  /** The rest of the app's definition, as v1 prints it. */
  [field: string]: unknown;
}

/** @returns base64 for `TaskInfo.data` */
export function encodeTaskData(data: TaskData): string {
  return Buffer.from(JSON.stringify(data), 'utf8').toString('base64');
}

/** @throws SyntaxError if the bytes are not JSON, TypeError if they are not an app */
export function decodeTaskData(base64: string): TaskData {
  const data: unknown = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  if (matchesShape(mapOf(anyValue), data) && matchesShape(text, data.id)) return { ...data, id: data.id };
  throw new TypeError('TaskInfo.data is not an app: expected an object with an id');
}
