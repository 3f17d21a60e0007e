/**
 * Checks of a container's description that need nothing of the agent: the scheduler makes them when an app is created or
 * changed, the executor at each launch.
 */

import { type DockerTask, isImageName } from '../task-data.ts';
import { parseOptions } from './docker-options.ts';

export interface ContainerProblem {
  readonly field: 'image' | 'env' | 'options';
  /** The variable. */
  readonly name?: string;
  /** A whole sentence. */
  readonly problem: string;
}

/** Names of labels that identify a container (identity.ts). No task may set them. */
const OWN_LABELS = 'mesosup.';
/**
 * Variables that affect the docker program itself, so that its environment can't pass them to the container: it runs as
 * root, and LD_PRELOAD, for example, would run a file of the task's directory on the host. The docker program may also
 * be a shell script (podman-docker). Sources: ld.so(8), pkg.go.dev/runtime, docs.docker.com/reference/cli/docker.
 */
const DOCKER_NAMES =
  /^(?:DOCKER_.*|PATH|HOME|.*_proxy|(?:LD|GLIBC|MALLOC|OTEL|XDG|SSL_CERT|LC|DYLD|PODMAN|CONTAINERS|REGISTRY)_.*|GO.*|GCONV_PATH|LOCPATH|NLSPATH|TMPDIR|TZ.*|LANG.*|RES_OPTIONS|LOCALDOMAIN|HOSTALIASES|ENV|IFS|PS\d|BASH.*|SHELL.*|CDPATH)$/i;

/** @returns the first problem that prevents every launch of the container */
export function findContainerProblem({
  image,
  env,
  options,
}: Pick<DockerTask, 'image' | 'env' | 'options'>): ContainerProblem | undefined {
  if (!isImageName(image)) return { field: 'image', problem: `"${image}" is not a valid image name` };
  for (const [name, value] of Object.entries(env)) {
    const problem = variableProblem(name, value);
    if (problem !== undefined) return { field: 'env', name, problem };
  }
  const problem = optionsProblem(options);
  return problem === undefined ? undefined : { field: 'options', problem };
}

/** True for a value that the docker program must get in its own environment: see create-command.ts. */
export function needsOwnEnvironment(value: string): boolean {
  // In env files, docker drops a CR at the end of a line and refuses lines of 64 KiB or more.
  return /[\r\n]/.test(value) || value.length >= 16_000;
}

function optionsProblem(words: readonly string[]): string | undefined {
  const parsed = parseOptions(words);
  if ('problem' in parsed) return `The container's options are invalid: ${parsed.problem}`;
  const own = parsed.options.find(({ name, value }) => name === 'label' && value?.startsWith(OWN_LABELS));
  return own && `The label "${own.value}" is invalid: ${OWN_LABELS}… is for mesosup's own labels`;
}

function variableProblem(name: string, value: string): string | undefined {
  if (!/^[^\s=#\0][^\s=\0]*$/.test(name)) return `"${name}" is not a valid name for an environment variable`;
  if (value.includes('\0')) return `The environment variable ${name} contains a NUL character`;
  if (needsOwnEnvironment(value) && DOCKER_NAMES.test(name)) {
    return `The environment variable ${name} can't contain a line break or 16 KB of text or more`;
  }
  return undefined;
}
