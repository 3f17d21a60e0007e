/**
 * Derives the container of a task from its TaskInfo: image, arguments, environment, options, ports and limits. In the
 * shared form `TaskInfo.data` contains all of them. In the 2013 form the executor's own command line holds the image
 * and the arguments, and the container inherits the executor's environment, as with the original Docker executor.
 */

import { healthCheckError } from '../../health/validation.ts';
import { amountsOf } from '../../mesos/resources.ts';
import type { TaskInfo } from '../../mesos/types.ts';
import { type DockerTask, decodeTaskData, dockerProblem, type TaskData } from '../task-data.ts';
import { findContainerProblem } from './container-check.ts';
import { optionWords, parseOptions } from './docker-options.ts';
import { anyValue, listOf, mapOf, matchesShape, text } from './json-shape.ts';

/** Command line and environment of the executor process. */
export interface OwnCommand {
  /** The words after the executor's path. */
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
}

export interface ContainerPlan extends DockerTask {
  /** The task's allocated ports, in the order of its resources. */
  hostPorts: number[];
  cpus: number;
  memoryBytes: number | undefined;
  gpus: number;
  diskMiB: number;
  /** The labels of the task, as names and values. */
  labels: (readonly [string, string])[];
  /** True in the 2013 form: the executor runs only this container and shares its sandbox with the task. */
  single: boolean;
}

/** The description of the task is invalid. */
export class TaskInvalidError extends Error {
  override name = 'TaskInvalidError';
}

/** Variables of the executor process that are not passed to the container. */
const OWN_NAMES =
  /^(?:MESOS_.*|MESOSUP_.*|LIBPROCESS_.*|DOCKER_HOST|PATH|PWD|OLDPWD|SHLVL|HOME|USER|LOGNAME|SHELL|TERM|HOSTNAME|_)$/;
/** @throws TaskInvalidError with the problem of the task */
export function planTask(task: TaskInfo, own: OwnCommand): ContainerPlan {
  const data = readData(task, own);
  const single = data?.docker === undefined;
  const docker = single ? fromCommandLine(data, own) : checkDocker(data?.docker);
  const found = findContainerProblem(docker);
  if (found) throw new TaskInvalidError(found.problem);
  const wrong = task.health_check && healthCheckError(task.health_check);
  if (wrong !== undefined) throw new TaskInvalidError(`Task uses invalid health check: ${wrong}`);
  return {
    ...docker,
    options: wordsOf(docker.options),
    hostPorts: hostPortsOf(task),
    ...limitsOf(task),
    labels: (task.labels?.labels ?? []).map(({ key, value = '' }) => [key, value]),
    single,
  };
}

/** The task's ports, in the order in which its resources list them. */
export function hostPortsOf(task: TaskInfo): number[] {
  const ranges = task.resources.filter((r) => r.name === 'ports').flatMap((r) => r.ranges?.range ?? []);
  return ranges.flatMap(({ begin, end }) => Array.from({ length: end - begin + 1 }, (_, i) => begin + i));
}

type Limits = Pick<ContainerPlan, 'cpus' | 'memoryBytes' | 'gpus' | 'diskMiB'>;

export function limitsOf(task: TaskInfo): Limits {
  const { scalars } = amountsOf(task.resources);
  const memory = scalars.get('mem') ?? 0;
  return {
    cpus: (scalars.get('cpus') ?? 0) / 1000,
    gpus: Math.floor((scalars.get('gpus') ?? 0) / 1000),
    diskMiB: Math.ceil((scalars.get('disk') ?? 0) / 1000),
    memoryBytes: memory > 0 ? Math.floor((memory * 1024 * 1024) / 1000) : undefined,
  };
}

function readData(task: TaskInfo, own: OwnCommand): TaskData | undefined {
  try {
    if (task.data !== undefined) return decodeTaskData(task.data);
  } catch (error) {
    // In the 2013 form, the data may have any format of the framework.
    if (own.argv.length > 0) return undefined;
    throw new TaskInvalidError(`TaskInfo.data can't be read: ${(error as Error).message}`);
  }
  return undefined;
}

function checkDocker(docker: DockerTask | undefined): DockerTask {
  const problem = dockerProblem(docker);
  if (problem !== undefined) throw new TaskInvalidError(`TaskInfo.data: ${problem}`);
  const { forcePull, ...rest } = docker as DockerTask;
  return { ...rest, ...(forcePull && { forcePull }) };
}

function fromCommandLine(data: TaskData | undefined, own: OwnCommand): DockerTask {
  const env = { ...inherited(own.env), ...(matchesShape(mapOf(text), data?.env) ? data.env : {}) };
  const container = matchesShape(mapOf(anyValue), data?.container) ? data.container : {};
  const options = matchesShape(listOf(text), container.options) ? container.options : [];
  if (matchesShape(text, container.image) && container.image !== '') {
    return { image: container.image.replace(/^docker:\/{2,3}/, ''), args: [...own.argv], env, options };
  }
  const [image, ...args] = own.argv;
  if (image === undefined) {
    throw new TaskInvalidError(
      'The task has no image. Add a docker part to TaskInfo.data, or make the image the first word of the command',
    );
  }
  return { image, args, env, options };
}

function inherited(env: OwnCommand['env']): Record<string, string> {
  const own = Object.entries(env).filter((e): e is [string, string] => e[1] !== undefined);
  return Object.fromEntries(own.filter(([name]) => !OWN_NAMES.test(name)));
}

/** @returns each option as one word */
function wordsOf(options: readonly string[]): string[] {
  const parsed = parseOptions(options);
  return 'problem' in parsed ? [...options] : optionWords(parsed.options);
}
