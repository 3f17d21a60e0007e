/**
 * What to run for a task: its image, arguments, environment, options, ports and limits, out of TaskInfo. In the
 * shared form `TaskInfo.data` says all of it. In the 2013 form the image and the arguments are the executor's own
 * command line, and the environment is the executor's own, as the original Docker executor had it.
 */

import { healthCheckError } from '../../health/validation.ts';
import { amountsOf } from '../../mesos/resources.ts';
import type { TaskInfo } from '../../mesos/types.ts';
import { type DockerTask, decodeTaskData, dockerProblem, isImageName, type TaskData } from '../task-data.ts';
import { anything, fits, listOf, mapOf, text } from './json-shape.ts';

/** What the executor process itself was started with. */
export interface OwnCommand {
  /** The words after the executor's path. */
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
}

export interface ContainerPlan extends DockerTask {
  /** The task's allocated ports, in the order of its resources. */
  hostPorts: number[];
  /** Docker's relative weight, 1024 to a CPU; undefined where the task has no CPUs. */
  cpuShares: number | undefined;
  memoryBytes: number | undefined;
  /** True in the 2013 form: the executor runs this one container, and its sandbox is the task's. */
  single: boolean;
}

/** The task can't be run as it is described. */
export class TaskInvalidError extends Error {
  override name = 'TaskInvalidError';
}

/** The least the kernel takes. */
const MIN_CPU_SHARES = 2;
/** What belongs to the executor's process and not to the container. */
const OWN_NAMES =
  /^(?:MESOS_.*|MESOSUP_.*|LIBPROCESS_.*|DOCKER_HOST|PATH|PWD|OLDPWD|SHLVL|HOME|USER|LOGNAME|SHELL|TERM|HOSTNAME|_)$/;
/** Names the docker program reads for itself, so that a value for them can't go through its environment. */
const DOCKER_NAMES = /^(?:DOCKER_.*|PATH|HOME|.*_proxy)$/i;

/** @throws TaskInvalidError saying what is wrong with the task */
export function planTask(task: TaskInfo, own: OwnCommand): ContainerPlan {
  const data = readData(task, own);
  const single = data?.docker === undefined;
  const docker = single ? fromCommandLine(data, own) : checkDocker(data?.docker);
  if (!isImageName(docker.image)) throw new TaskInvalidError(`"${docker.image}" is no image name`);
  for (const [name, value] of Object.entries(docker.env)) checkVariable(name, value);
  const wrong = task.health_check && healthCheckError(task.health_check);
  if (wrong !== undefined) throw new TaskInvalidError(`Task uses invalid health check: ${wrong}`);
  const { cpus, memoryBytes } = limitsOf(task);
  return {
    ...docker,
    hostPorts: hostPortsOf(task),
    cpuShares: cpus > 0 ? Math.max(MIN_CPU_SHARES, Math.round(1024 * cpus)) : undefined,
    memoryBytes,
    single,
  };
}

/** The task's ports, in the order in which its resources list them. */
export function hostPortsOf(task: TaskInfo): number[] {
  const ranges = task.resources.filter((r) => r.name === 'ports').flatMap((r) => r.ranges?.range ?? []);
  return ranges.flatMap(({ begin, end }) => Array.from({ length: end - begin + 1 }, (_, i) => begin + i));
}

export function limitsOf(task: TaskInfo): { cpus: number; memoryBytes: number | undefined } {
  const { scalars } = amountsOf(task.resources);
  const memory = scalars.get('mem') ?? 0;
  return {
    cpus: (scalars.get('cpus') ?? 0) / 1000,
    memoryBytes: memory > 0 ? Math.floor((memory * 1024 * 1024) / 1000) : undefined,
  };
}

function readData(task: TaskInfo, own: OwnCommand): TaskData | undefined {
  try {
    if (task.data !== undefined) return decodeTaskData(task.data);
  } catch (error) {
    // A framework that starts us with an image on the command line may put anything there.
    if (own.argv.length > 0) return undefined;
    throw new TaskInvalidError(`TaskInfo.data can't be read: ${(error as Error).message}`);
  }
  return undefined;
}

function checkDocker(docker: DockerTask | undefined): DockerTask {
  const problem = dockerProblem(docker);
  if (problem !== undefined) throw new TaskInvalidError(`TaskInfo.data: ${problem}`);
  // A field that is false says the same as none.
  return Object.fromEntries(
    Object.entries(docker ?? {}).filter(([, value]) => value !== false),
  ) as DockerTask;
}

function fromCommandLine(data: TaskData | undefined, own: OwnCommand): DockerTask {
  const env = { ...inherited(own.env), ...(fits(mapOf(text), data?.env) ? data.env : {}) };
  const container = fits(mapOf(anything), data?.container) ? data.container : {};
  const options = fits(listOf(text), container.options) ? container.options : [];
  if (fits(text, container.image) && container.image !== '') {
    return { image: container.image.replace(/^docker:\/{2,3}/, ''), args: [...own.argv], env, options };
  }
  const [image, ...args] = own.argv;
  if (image === undefined) {
    throw new TaskInvalidError(
      'The task names no image: give TaskInfo.data a docker part, or make the image the first word of the command',
    );
  }
  return { image, args, env, options };
}

function inherited(env: OwnCommand['env']): Record<string, string> {
  const own = Object.entries(env).filter((e): e is [string, string] => e[1] !== undefined);
  return Object.fromEntries(own.filter(([name]) => !OWN_NAMES.test(name)));
}

/** A value with a line break goes through the docker program's own environment: see create-command.ts. */
export function needsOwnEnvironment(value: string): boolean {
  // The program drops a line's last CR, and takes no line of 64 KiB or more.
  return /[\r\n]/.test(value) || value.length >= 16_000;
}

function checkVariable(name: string, value: string): void {
  if (!/^[^\s=#\0][^\s=\0]*$/.test(name)) {
    throw new TaskInvalidError(`"${name}" can't be the name of an environment variable`);
  }
  if (value.includes('\0')) throw new TaskInvalidError(`The environment variable ${name} holds a NUL`);
  if (needsOwnEnvironment(value) && DOCKER_NAMES.test(name)) {
    throw new TaskInvalidError(`The environment variable ${name} can't hold a line break or 16 KB of text`);
  }
}
