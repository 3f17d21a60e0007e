/**
 * The operator's policy of an agent: what containers of this agent may use. It is the content of a file that the worker
 * reads at each launch (agent-policy.ts). Without the file, and without any of the keys `allow…` in it, containers may
 * use everything, as with Marathon.
 */

import { isJson } from '../../json.ts';
import { type DockerOption, optionWords, parseOptions } from './docker-options.ts';
import { imagePolicyFields } from './image-policy.ts';
import { flag, listOf, mapOf, notAKey, type ObjectOf, objectOf, text, wholeNumber } from './json-shape.ts';
import { limitProblem, limitsShape, pidsLimit, shmSize } from './limits.ts';
import { type Mount, parseMount, parseVolume } from './mounts.ts';
import { sandboxPolicyFields } from './sandbox-policy.ts';
import { type ContainerPlan, TaskInvalidError } from './task-plan.ts';

const allowedHostPath = {
  /** Absolute. Everything below it is allowed too. */
  path: { shape: text, optional: false },
  /** Allows only mounts that are read-only. */
  readOnly: { shape: flag, optional: true },
} as const;

const ulimit = {
  /** As in `ulimit` of Docker: `nofile`, `nproc` … */
  name: { shape: text, optional: false },
  soft: { shape: wholeNumber(-1, Number.MAX_SAFE_INTEGER), optional: false },
  hard: { shape: wholeNumber(-1, Number.MAX_SAFE_INTEGER), optional: false },
} as const;

const logFields = {
  driver: { shape: text, optional: true },
  options: { shape: mapOf(text), optional: true },
} as const;

const defaultFields = {
  /** False: no init process. */
  init: { shape: flag, optional: true },
  log: { shape: objectOf(logFields, { unknown: notAKey }), optional: true },
  pidsLimit,
  shmSize,
  /** True: containers may use as much swap as memory. */
  swap: { shape: flag, optional: true },
  ulimits: { shape: listOf(objectOf(ulimit, { unknown: notAKey })), optional: true },
} as const;

const policyFields = {
  /** Allows `--privileged`, and mounts of the container that appear on the host. */
  allowPrivileged: { shape: flag, optional: true },
  allowedHostPaths: { shape: listOf(objectOf(allowedHostPath, { unknown: notAKey })), optional: true },
  /** Names of Docker's networks; `*` allows all. */
  allowedNetworks: { shape: listOf(text), optional: true },
  /** Long names of options of `docker create`, without dashes; `*` allows all. */
  allowedParameters: { shape: listOf(text), optional: true },
  /** False refuses commands in containers. */
  exec: { shape: flag, optional: true },
  ...imagePolicyFields,
  ...sandboxPolicyFields,
  /** Limits the CPU time of containers whose app says nothing about it (`docker.cpuQuota`). */
  cpuQuota: { shape: flag, optional: true },
  /** For containers that choose nothing else. */
  defaults: { shape: objectOf(defaultFields, { unknown: notAKey }), optional: true },
  limits: { shape: limitsShape, optional: true },
} as const;

const policyShape = objectOf(policyFields, { unknown: notAKey });

export type AgentPolicy = ObjectOf<typeof policyFields>;

/** The result of reading the file: `policy` is empty if there is no file; `problem` names the file and the path in it. */
export type PolicyReading =
  | { readonly file: string; readonly policy: AgentPolicy }
  | { readonly file: string; readonly problem: string };

/** Describes a file that can't be used, for users. */
export function readingProblem({ file, problem }: Extract<PolicyReading, { problem: string }>): string {
  return `${file} on this agent: ${problem}`;
}

/** @throws TaskInvalidError if the policy can't be read: a task is not launched without it */
export function policyOf(reading: PolicyReading): AgentPolicy {
  if ('policy' in reading) return reading.policy;
  throw new TaskInvalidError(readingProblem(reading));
}

/** Returns the policy for settings that have defaults; an empty one if it can't be read. */
export function policyOrDefaults(reading: PolicyReading): AgentPolicy {
  return 'policy' in reading ? reading.policy : {};
}

/** @returns the problem of the content; undefined if it is an AgentPolicy */
export function policyProblem(content: unknown): string | undefined {
  if (!isJson(content)) return 'must be a JSON object';
  const problem = policyShape.problem(content, '');
  if (problem !== undefined) return problem.replace(/^\./, '');
  const { allowedHostPaths = [] } = content as AgentPolicy;
  const relative = allowedHostPaths.findIndex(({ path }) => !isPlainPath(path));
  return relative < 0 ? undefined : `allowedHostPaths[${relative}].path must be an absolute path without ..`;
}

/** Networks that closed agents allow if the policy does not name any. */
export const SAFE_NETWORKS: readonly string[] = ['bridge', 'none'];

/**
 * Parameters that closed agents allow if the policy does not name any. None of them reads or writes the host's files,
 * names another container, changes a limit of CPU, memory or processes, or reaches the host's network.
 */
export const SAFE_PARAMETERS: readonly string[] = [
  ...['add-host', 'cap-drop', 'dns', 'dns-option', 'dns-search', 'domainname', 'entrypoint', 'env'],
  ...['expose', 'health-cmd', 'health-interval', 'health-retries', 'health-start-interval'],
  ...['health-start-period', 'health-timeout', 'hostname', 'init', 'interactive', 'label', 'network-alias'],
  ...['no-healthcheck', 'platform', 'read-only', 'rm', 'shm-size', 'stop-signal', 'stop-timeout', 'tmpfs'],
  ...['tty', 'ulimit', 'user', 'workdir'],
];

/** True if the policy restricts containers. */
export function isClosed(policy: AgentPolicy): boolean {
  const { allowPrivileged, allowedHostPaths, allowedNetworks, allowedParameters } = policy;
  return [allowPrivileged, allowedHostPaths, allowedNetworks, allowedParameters].some(
    (key) => key !== undefined,
  );
}

/** Where sources on the host really are, by their names: paths with links resolved, and the directories of volumes. */
export interface ResolvedSources {
  /** The path that a path of the host leads to. A missing one can't be mounted; undefined for a link to nowhere. */
  readonly paths: ReadonlyMap<string, string | undefined>;
  /** The host's directory or device that a volume's driver mounts. Missing for volumes that Docker stores itself. */
  readonly volumes: ReadonlyMap<string, string>;
}

/** @returns the sources that the container mounts, for resolving them */
export function mountedSources(plan: ContainerPlan): Mount[] {
  const parsed = parseOptions(plan.options);
  if ('problem' in parsed) return [];
  return parsed.options.flatMap((option) => {
    const mount = mountOf(option);
    return mount && !('problem' in mount) && mount.from !== 'fresh' ? mount : [];
  });
}

/**
 * Checks a plan.
 * @param sources undefined to check all but the places of the sources
 * @returns the plan to use: every path of the host in it is the one that was checked
 * @throws TaskInvalidError if the policy forbids the plan, or can't be read
 */
export function admittedPlan(
  plan: ContainerPlan,
  reading: PolicyReading,
  sources: ResolvedSources | undefined,
): ContainerPlan {
  const policy = policyOf(reading);
  const parsed = parseOptions(plan.options);
  if ('problem' in parsed) throw new TaskInvalidError(parsed.problem);
  const forbid = (problem: string) =>
    new TaskInvalidError(`${problem}: forbidden by ${reading.file} on this agent`);
  for (const option of parsed.options) {
    const problem = limitProblem(option, policy.limits ?? {});
    if (problem !== undefined) throw forbid(problem);
  }
  if (!isClosed(policy)) return plan;
  const check = (option: DockerOption) => {
    const checked = checkOption(option, policy, sources);
    if ('problem' in checked) throw forbid(checked.problem);
    return checked;
  };
  // Without the option, Docker uses the bridge.
  if (!parsed.options.some(({ name }) => name === 'network')) check({ name: 'network', value: 'bridge' });
  return { ...plan, options: optionWords(parsed.options.map(check)) };
}

type Checked = DockerOption | { problem: string };

function checkOption(
  option: DockerOption,
  policy: AgentPolicy,
  sources: ResolvedSources | undefined,
): Checked {
  const { name, value = '' } = option;
  switch (name) {
    case 'privileged':
      if (value === 'false' || policy.allowPrivileged) return option;
      return { problem: 'The container may not be privileged (allowPrivileged)' };
    case 'network': {
      const allowed = policy.allowedNetworks ?? SAFE_NETWORKS;
      // Docker also reads NAME=VALUE,… here, in which the network's name is a part.
      const isName = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(value);
      if (allowed.includes('*') || (isName && allowed.includes(value === 'default' ? 'bridge' : value)))
        return option;
      return { problem: `The container may not use the network "${value}" (allowedNetworks)` };
    }
    case 'volume':
    case 'mount':
      return checkMount(option, policy, sources);
    default: {
      const allowed = policy.allowedParameters ?? SAFE_PARAMETERS;
      if (allowed.includes('*') || allowed.includes(name)) return option;
      return { problem: `The container may not use the parameter "${name}" (allowedParameters)` };
    }
  }
}

function mountOf({ name, value = '' }: DockerOption) {
  if (name === 'volume') return parseVolume(value);
  return name === 'mount' ? parseMount(value) : undefined;
}

function checkMount(
  option: DockerOption,
  policy: AgentPolicy,
  sources: ResolvedSources | undefined,
): Checked {
  const mount = mountOf(option);
  if (!mount) return option;
  if ('problem' in mount) return { problem: `The ${option.name} ${mount.problem}` };
  if (mount.shared && !policy.allowPrivileged) {
    return {
      problem: `The ${option.name} of "${mount.source}" may not be shared with the host (allowPrivileged)`,
    };
  }
  if (mount.from === 'fresh' || !sources) return option;
  const { paths, volumes } = sources;
  const place = mount.from === 'host' ? paths.get(mount.source) : volumes.get(mount.source);
  if (mount.from === 'volume' && place === undefined) return option;
  const isUsable = place !== undefined && isPlainPath(place) && !/[:,"\\]/.test(place);
  if (!isUsable || !isAllowedPath(place, mount.readOnly, policy, paths)) {
    const real = place === undefined || place === mount.source ? '' : `, which is ${place},`;
    return { problem: `The container may not mount "${mount.source}"${real} (allowedHostPaths)` };
  }
  return mount.from === 'host' ? { name: option.name, value: mount.withSource(place) } : option;
}

function isAllowedPath(
  place: string,
  readOnly: boolean,
  { allowedHostPaths = [] }: AgentPolicy,
  paths: ResolvedSources['paths'],
): boolean {
  return allowedHostPaths.some((allowed) => {
    const root = (paths.get(allowed.path) ?? allowed.path).replace(/\/+$/, '');
    return (readOnly || !allowed.readOnly) && (place === root || place.startsWith(`${root}/`));
  });
}

/** True for an absolute path that leads nowhere else by `..`. */
function isPlainPath(path: string): boolean {
  return path.startsWith('/') && !path.split('/').includes('..') && !path.includes('\0');
}
