/**
 * What the scheduler puts in `TaskInfo.data` for the Docker executor: the app's JSON as v1 prints it, and in the
 * shared form (one executor for many tasks) a `docker` part that says all there is to know about the container.
 * Without that part the task is of the 2013 form: image and arguments are the executor's own command line.
 */

/** A port of the host, and the one of the container it leads to. */
export interface PortPair {
  host: number;
  container: number;
  /** `tcp`, `udp` or `sctp` */
  protocol: string;
}

/** One container to run. */
export interface DockerTask {
  image: string;
  /** The container's arguments, already split and expanded. */
  args: string[];
  /** The app's environment with PORT0…PORTn, PORT and PORTS, precedence already settled. */
  env: Record<string, string>;
  /** The ports to publish; without it the image's EXPOSEd ports are paired with the task's in order. */
  ports?: PortPair[];
  /** Pull the image although it is there. */
  forcePull?: boolean;
  /** Passed on to `docker create` verbatim, in order. */
  options: string[];
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
  if (typeof data !== 'object' || data === null || typeof (data as TaskData).id !== 'string') {
    throw new TypeError('TaskInfo.data is not an app: an object with an id was expected');
  }
  return data as TaskData;
}
