/**
 * What the scheduler puts in `TaskInfo.data` for the Docker executor: the app's JSON as v1 prints it, and in the
 * shared form (one executor for many tasks) a `docker` part that says all there is to know about the container.
 * Without that part the task is of the 2013 form: image and arguments are the executor's own command line.
 */

import {
  anything,
  fits,
  flag,
  listOf,
  mapOf,
  type ObjectOf,
  objectOf,
  oneOf,
  type Shape,
  text,
  wholeNumber,
} from './domain/json-shape.ts';

/** @param options what the field means to `docker create`; where it is left out, create-command.ts says that */
function required<T>(shape: Shape<T>, options?: (value: T) => readonly string[]) {
  return { shape, optional: false, options } as const;
}

function optional<T>(shape: Shape<T>, options?: (value: T) => readonly string[]) {
  return { shape, optional: true, options } as const;
}

const port = wholeNumber(1, 65_535);

/** A port of the host, and the one of the container it leads to. */
const portPair = {
  host: required(port),
  container: required(port),
  protocol: required(oneOf('tcp', 'udp', 'sctp')),
};

/**
 * One container to run. The type, the executor's check, and the options that fields become all follow from this. A
 * field that is added is optional: an executor of an older release refuses a task that has a field it does not know,
 * so the scheduler sends a field only for apps that use it. Options come in the order of the fields, and of two that
 * say the same Docker takes the last.
 */
const dockerFields = {
  image: required(text),
  /** The container's arguments, already split and expanded. */
  args: required(listOf(text)),
  /** The app's environment with PORT0…PORTn, PORT and PORTS, precedence already settled. */
  env: required(mapOf(text)),
  /** The ports to publish; without it the image's EXPOSEd ports are paired with the task's in order. */
  ports: optional(listOf(objectOf(portPair))),
  /** Pull the image although it is there. */
  forcePull: optional(flag),
  /** Passed on to `docker create` verbatim, in order. */
  options: required(listOf(text), (words) => words),
};

export type PortPair = ObjectOf<typeof portPair>;
export type DockerTask = ObjectOf<typeof dockerFields>;

const dockerTask = objectOf(dockerFields, 'an object with an image');

/** @returns what is wrong with the `docker` part; undefined where it is a DockerTask */
export function dockerProblem(docker: unknown): string | undefined {
  return dockerTask.problem(docker, 'docker');
}

/** What the fields of a task mean to `docker create`. */
export function createOptions(task: DockerTask): string[] {
  return Object.entries(dockerFields).flatMap(([name, { options }]) => {
    const value = task[name as keyof DockerTask];
    return value === undefined || !options ? [] : (options as (value: unknown) => readonly string[])(value);
  });
}

const IMAGE = /^[A-Za-z0-9][A-Za-z0-9_.:@-]*(?:\/[A-Za-z0-9][A-Za-z0-9_.:@-]*)*$/;

/** Whether Docker can be asked for an image of this name: the scheduler and the executor agree on it. */
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

/** @throws SyntaxError where the bytes are not JSON, TypeError where they are not an app */
export function decodeTaskData(base64: string): TaskData {
  const data: unknown = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  if (fits(mapOf(anything), data) && fits(text, data.id)) return { ...data, id: data.id };
  throw new TypeError('TaskInfo.data is not an app: an object with an id was expected');
}
