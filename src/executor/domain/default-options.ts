/**
 * The options that a container gets without asking: limits from the task's resources, the labels of the app, an init
 * process, and bounded log files. The task's own options come after them; Docker uses the last one of a name.
 */

import type { DockerOption } from './docker-options.ts';
import { optionWords, parseOptions } from './docker-options.ts';
import type { AgentPolicy } from './policy.ts';
import { type ContainerPlan, TaskInvalidError } from './task-plan.ts';

/** What Docker on this agent can do. */
export interface DockerFeatures {
  /** True if Docker has its program for an init process. */
  readonly hasInit: boolean;
  /** The log driver of containers that do not choose one. */
  readonly logDriver: string;
  readonly cpus: number;
}

export interface DefaultOptions {
  /** One word for each option. */
  readonly words: string[];
  /** Lines for the task's log: what this agent can't do for the task. */
  readonly notes: string[];
}

/** The kernel's minimum. */
const MIN_CPU_SHARES = 2;
/** Docker's minimum. */
const MIN_CPUS = 0.01;
/** Docker keeps its own copy of a container's output, and by default never deletes from it. */
const LOG_OPTIONS = { 'max-size': '20m', 'max-file': '5' };
/** The kernel refuses longer arguments of a program; all together may have 2 MB. */
const MAX_LABEL = 100_000;
const MAX_LABELS = 500_000;
const MIB = 1024 * 1024;

/** @throws TaskInvalidError if Docker on this agent can't do what the task asks for */
export function defaultOptions(
  plan: ContainerPlan,
  policy: AgentPolicy,
  docker: DockerFeatures,
): DefaultOptions {
  const { defaults = {}, limits = {} } = policy;
  const { cpus, memoryBytes, gpus } = plan;
  const parsed = parseOptions(plan.options);
  const own = 'problem' in parsed ? [] : parsed.options;
  const has = (...names: string[]) => own.some(({ name }) => names.includes(name));
  const options: DockerOption[] = [];
  const add = (name: string, value: string | number) => options.push({ name, value: String(value) });

  if (cpus > 0) add('cpu-shares', Math.max(MIN_CPU_SHARES, Math.round(1024 * cpus)));
  const isQuota = plan.cpuQuota ?? policy.cpuQuota ?? false;
  if (isQuota && cpus > 0 && !has('cpus', 'cpu-quota', 'cpu-period')) {
    add('cpus', Math.min(docker.cpus, Math.max(MIN_CPUS, cpus)));
  }
  if (memoryBytes !== undefined) {
    add('memory', memoryBytes);
    // Without this, Docker grants the same amount again as swap, so that the limit does not end the container.
    if (!defaults.swap) add('memory-swap', memoryBytes);
  }
  if (gpus > 0) add('gpus', gpus);
  addInit(own, docker, defaults.init ?? true, add);
  if (!has('log-driver', 'log-opt')) {
    const { driver, options: logOptions = {} } = defaults.log ?? {};
    if (driver !== undefined) add('log-driver', driver);
    const isRotated = (driver ?? docker.logDriver) === 'json-file';
    for (const [name, value] of Object.entries({ ...(isRotated && LOG_OPTIONS), ...logOptions })) {
      add('log-opt', `${name}=${value}`);
    }
  }
  const pids = defaults.pidsLimit ?? limits.pidsLimit;
  if (pids !== undefined) add('pids-limit', pids);
  const shmSize = defaults.shmSize ?? limits.shmSize;
  if (shmSize !== undefined) add('shm-size', shmSize * MIB);
  for (const { name, hard } of limits.ulimits ?? []) add('ulimit', `${name}=${hard}:${hard}`);
  for (const { name, soft, hard } of defaults.ulimits ?? []) add('ulimit', `${name}=${soft}:${hard}`);
  const { labels, notes } = containerLabels(plan.labels);
  for (const label of labels) add('label', label);
  return { words: optionWords(options), notes };
}

/** @returns the option that limits the container's writable layer, which not every storage driver can do */
export function diskOption({ diskMiB, options }: ContainerPlan): string | undefined {
  const isSet = options.some((word) => word.startsWith('--storage-opt='));
  return diskMiB > 0 && !isSet ? `--storage-opt=size=${diskMiB}M` : undefined;
}

function addInit(
  own: readonly DockerOption[],
  { hasInit }: DockerFeatures,
  isDefault: boolean,
  add: (name: string, value: string) => void,
): void {
  const asked = own.findLast(({ name }) => name === 'init');
  if (asked?.value === 'true' && !hasInit) {
    throw new TaskInvalidError(
      'The task asks for an init process, but Docker on this agent has no docker-init: install it, or set container.docker.init to false',
    );
  }
  if (asked === undefined && isDefault && hasInit) add('init', 'true');
}

/** Labels of mesosup's own (identity.ts) can't be set by an app: theirs get this prefix. */
const RESERVED = /^mesosup\./;
const RESERVED_PREFIX = 'app.';

function containerLabels(labels: ContainerPlan['labels']): { labels: string[]; notes: string[] } {
  let total = 0;
  const notes: string[] = [];
  const words: string[] = [];
  for (const [key, value] of labels) {
    const word = `${RESERVED.test(key) ? RESERVED_PREFIX : ''}${key}=${value}`;
    const size = Buffer.byteLength(word);
    // The docker program ends the name at the first "=", and refuses an empty one and one with a space.
    const isName = /^[^\s=\0]+$/.test(key) && !value.includes('\0');
    if (isName && size <= MAX_LABEL && total + size <= MAX_LABELS) {
      total += size;
      words.push(word);
    } else {
      const name = JSON.stringify(key.slice(0, 100));
      notes.push(
        `the label ${name} is not set on the container: its name is not possible in Docker, or it is too long`,
      );
    }
  }
  return { labels: words, notes };
}

/** Adds the remedy to Docker's message where it has none. */
export function startFailure(message: string): string {
  if (!/could not select device driver.*gpu/s.test(message)) return message;
  return `${message}. Docker on this agent has no runtime for GPUs: install the NVIDIA container toolkit, or set gpus to 0`;
}
