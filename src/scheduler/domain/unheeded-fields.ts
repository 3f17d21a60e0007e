/**
 * Fields of a definition that this scheduler can't honour. A field that changes how an app runs in Marathon is refused;
 * one without effect in Marathon too, and an unknown one, is accepted with a warning. Source of the fields: the RAML of
 * Marathon 1.11; of those without effect: its conversion of apps.
 */

import { isJson } from '../../json.ts';
import { type FieldError, type FieldPath, pathKey } from './field-errors.ts';

interface Unheeded {
  /** Path of the field; `*` stands for an index or any name. */
  readonly field: string;
  /** The value that means the same as no field, besides empty ones. */
  readonly neutral?: unknown;
  readonly why: string;
}

const NO_SECRETS = 'is not supported, since there are no secrets';

const REFUSED: readonly Unheeded[] = [
  { field: 'secrets', why: 'are not supported: put the value into env, or fetch a file' },
  { field: 'env.*.secret', why: 'is not supported: set the value of the variable' },
  {
    field: 'container.docker.pullConfig',
    why: `${NO_SECRETS}: put the registry's credentials into registries of /etc/mesosup/executor.json on the agents, or fetch a docker.tar.gz`,
  },
  {
    field: 'container.docker.credential',
    why: "is not supported: put the registry's credentials into registries of /etc/mesosup/executor.json on the agents",
  },
  {
    field: 'container.linuxInfo',
    why: 'is not supported: use docker.shmSize, docker.ulimits or docker.parameters',
  },
  {
    field: 'container.volumes.*.external',
    why: 'is not supported: create the volume with Docker, and use docker.parameters with the key volume and the value NAME:PATH',
  },
  { field: 'container.volumes.*.secret', why: NO_SECRETS },
  {
    field: 'container.volumes.*.persistent.profileName',
    why: 'is not supported: there are no profiles of storage plugins',
  },
  {
    field: 'container.portMappings.*.networkNames',
    why: 'are not supported: ports are mapped in all networks of the container',
  },
  {
    field: 'container.docker.portMappings.*.networkNames',
    why: 'are not supported: ports are mapped in all networks of the container',
  },
  { field: 'networks.*.labels', why: 'are not supported' },
  { field: 'ipAddress.labels', why: 'are not supported' },
  { field: 'check', why: 'is not supported: use healthChecks or readinessChecks' },
  {
    field: 'healthChecks.*.ipProtocol',
    neutral: 'IPv4',
    why: 'must be IPv4: checks with IPv6 are not supported',
  },
  { field: 'executorResources', why: 'are not supported: the scheduler sets the resources of executors' },
  { field: 'resourceLimits', why: 'are not supported: cpus and mem are the limits' },
  { field: 'tty', why: 'is not supported: use docker.parameters with the key tty' },
];

const WITHOUT_EFFECT = 'has no effect, as in Marathon';

const LISTED: readonly Unheeded[] = [
  { field: 'residency', why: WITHOUT_EFFECT },
  { field: 'ipAddress.groups', why: WITHOUT_EFFECT },
  {
    field: 'healthChecks.*.ignoreHttp1xx',
    why: 'has no effect: a check waits for the final answer after a status from 100 to 199',
  },
  { field: 'taskRateLimit', why: 'has no effect' },
];

const UNKNOWN = 'is not a known field, and has no effect';

/** Fields that answers contain in addition to the definition, so that clients may send them back. */
export const ADDED_FIELDS: ReadonlySet<string> = new Set([
  ...['version', 'versionInfo', 'deployments', 'readinessCheckResults', 'lastTaskFailure'],
  ...['tasks', 'tasksStaged', 'tasksRunning', 'tasksHealthy', 'tasksUnhealthy', 'tasksStats', 'taskStats'],
  ...['containerizer', 'warnings'],
]);

/** Finds the fields that are refused. @param sent a definition, or a part of it, as a client wrote it */
export function findRefused(sent: unknown): FieldError[] {
  return REFUSED.flatMap((one) => occurrences(one, sent));
}

/**
 * Finds the fields that have no effect.
 * @param sent as a client wrote it
 * @param modern the same with current names
 * @param kept the resulting definition
 */
export function findIgnored(sent: unknown, modern: unknown, kept: unknown): FieldError[] {
  const listed = LISTED.flatMap((one) => occurrences(one, sent));
  const known = new Set(
    [...REFUSED, ...LISTED].flatMap(({ field }) =>
      [...valuesAt(modern, field.split('.'), [])].map(({ path }) => pathKey(path)),
    ),
  );
  const unknown = findUnknown(modern, kept, []).filter(
    ({ path }) => !ADDED_FIELDS.has(String(path[0])) && !known.has(pathKey(path)),
  );
  return [...listed, ...unknown];
}

function occurrences({ field, neutral, why }: Unheeded, sent: unknown): FieldError[] {
  return [...valuesAt(sent, field.split('.'), [])]
    .filter(({ value }) => !isEmptyValue(value) && value !== neutral)
    .map(({ path }) => ({ path, error: why }));
}

function* valuesAt(
  value: unknown,
  [part, ...rest]: readonly string[],
  path: FieldPath,
): Generator<{ path: FieldPath; value: unknown }> {
  if (part === undefined) {
    yield { path, value };
  } else if (Array.isArray(value)) {
    if (part === '*') for (const [i, one] of value.entries()) yield* valuesAt(one, rest, [...path, i]);
  } else if (isJson(value)) {
    const names = part === '*' ? Object.keys(value) : Object.hasOwn(value, part) ? [part] : [];
    for (const name of names) yield* valuesAt(value[name], rest, [...path, name]);
  }
}

/** @returns the fields of `sent` that are missing in `kept` */
function findUnknown(sent: unknown, kept: unknown, path: FieldPath): FieldError[] {
  if (Array.isArray(sent) && Array.isArray(kept)) {
    return sent.flatMap((one, i) => findUnknown(one, kept[i], [...path, i]));
  }
  if (!isJson(sent) || !isJson(kept)) return [];
  return Object.entries(sent).flatMap(([name, value]) => {
    if (Object.hasOwn(kept, name)) return findUnknown(value, kept[name], [...path, name]);
    return isEmptyValue(value) ? [] : [{ path: [...path, name], error: UNKNOWN }];
  });
}

/** True for a value that means the same as an absent field. */
function isEmptyValue(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return true;
  if (Array.isArray(value)) return value.every(isEmptyValue);
  return isJson(value) && Object.values(value).every(isEmptyValue);
}
