/** Converts an app's container to options of `docker create`. Each is a word of its own, never part of a shell line. */

import type { App } from '../../domain/app.ts';
import type { OwnDockerFields } from '../../domain/docker-fields.ts';
import { isPersistent } from '../../domain/residency.ts';
import { isRelative, targetOf } from '../../domain/sandbox-volumes.ts';

type Options = {
  readonly [F in keyof OwnDockerFields]-?: (value: NonNullable<OwnDockerFields[F]>) => readonly string[];
};

const FIELDS: Options = {
  // Passed on by its name (form.ts): the executor knows the agent's policy.
  cpuQuota: () => [],
  init: (isOn) => [`--init=${isOn}`],
  shmSize: (mib) => [`--shm-size=${mib}m`],
  ulimits: (all) => all.map(({ name, soft, hard }) => `--ulimit=${name}=${soft}:${hard}`),
  tmpfs: (all) =>
    all.map(
      ({ containerPath, size }) => `--tmpfs=${containerPath}${size === undefined ? '' : `:size=${size}m`}`,
    ),
  workdir: (path) => [`--workdir=${path}`],
  log: ({ driver, options = {} }) => [
    ...(driver === undefined ? [] : [`--log-driver=${driver}`]),
    ...Object.entries(options).map(([name, value]) => `--log-opt=${name}=${value}`),
  ],
};

/** @returns the options of v2's fields; the user's own options come last, since Docker uses the last one of a name */
export function optionsOf({ container, networks, user, sandboxVolumes }: App): string[] {
  const { docker, volumes = [] } = container ?? {};
  const options: string[] = [];
  for (const { mode, name, aliases = [] } of networks) {
    if (mode === 'host') options.push('--network', 'host');
    else if (mode === 'container' && name !== undefined) options.push('--network', name);
    options.push(...aliases.map((alias) => `--network-alias=${alias}`));
  }
  if (docker?.privileged) options.push('--privileged');
  for (const volume of volumes) {
    // The executor mounts persistent volumes, since the agent knows where they are.
    if (isPersistent(volume)) continue;
    if (sandboxVolumes && isRelative(volume)) continue;
    const { hostPath, mode, propagation } = volume;
    const modes = [mode.toLowerCase(), ...(propagation === undefined ? [] : [propagation])];
    options.push('-v', `${hostPath}:${targetOf(volume)}:${modes.join(',')}`);
  }
  if (user !== undefined) options.push(`--user=${user}`);
  options.push(...ownOptions(docker));
  for (const { key, value } of docker?.parameters ?? []) options.push(`--${key}=${value}`);
  return [...options, ...(docker?.options ?? [])];
}

function ownOptions(docker: OwnDockerFields = {}): string[] {
  return (Object.keys(FIELDS) as (keyof OwnDockerFields)[]).flatMap((field) => {
    const value = docker[field];
    return value === undefined ? [] : (FIELDS[field] as (value: unknown) => readonly string[])(value);
  });
}
