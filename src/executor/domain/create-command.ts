/** Builds the complete `docker create` command of a task, as data. */

import { createOptions, type PortPair } from '../task-data.ts';
import { needsOwnEnvironment } from './container-check.ts';
import type { ContainerPlan } from './task-plan.ts';

/** The place of the task's directory in its container, as in Mesos' containerizers. */
export const MOUNTED_SANDBOX = '/mnt/mesos/sandbox';

/** A path of the host in a container. */
export interface MountedPath {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface CreateInput {
  plan: ContainerPlan;
  /** The image's EXPOSEd ports, as in `6379/tcp`. */
  exposed: readonly string[];
  name: string;
  /** Options that the plan's own options may replace. */
  defaults: readonly string[];
  labels: Readonly<Record<string, string>>;
  /** The address that published ports are bound to; undefined for all addresses of the host. */
  publishAddress: string | undefined;
  /** The task's directory on the host. */
  sandbox: string;
  /** The plan's volumes of the sandbox, and its persistent volumes. */
  volumes: readonly MountedPath[];
  /** A file from which the docker program can read the environment. */
  envFilePath: string;
}

export interface CreateCommand {
  /** Everything after `docker`. Contains no values of the environment, since other users can read argument lists. */
  argv: string[];
  /** Lines `NAME=value` for the file at `envFilePath`. */
  envFile: string;
  /** Set in the docker program's own environment: values that an env file can't represent, passed on by `-e NAME`. */
  environment: Record<string, string>;
}

export function createCommand(input: CreateInput): CreateCommand {
  const { plan } = input;
  const variables = Object.entries(plan.env);
  const own = variables.filter(([, value]) => needsOwnEnvironment(value));
  const inFile = variables.filter(([, value]) => !needsOwnEnvironment(value));
  return {
    argv: [
      'create',
      '--name',
      input.name,
      ...input.defaults,
      ...publishedPorts(plan, input.exposed).pairs.flatMap((pair) => [
        '-p',
        publish(pair, input.publishAddress),
      ]),
      ...(inFile.length > 0 ? ['--env-file', input.envFilePath] : []),
      ...own.flatMap(([name]) => ['-e', name]),
      ...['--mount', `type=bind,${csvField(`src=${input.sandbox}`)},dst=${MOUNTED_SANDBOX}`],
      ...input.volumes.flatMap(({ source, target, readOnly }) => [
        '--mount',
        `type=bind,${csvField(`src=${source}`)},${csvField(`dst=${target}`)}${readOnly ? ',readonly' : ''}`,
      ]),
      // After the file, so that it takes precedence over the app's environment.
      ...['-e', `MESOS_SANDBOX=${MOUNTED_SANDBOX}`],
      ...createOptions(plan),
      // Last, so that they replace labels of the same names from a file of the user (--label-file).
      ...Object.entries(input.labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]),
      plan.image,
      ...plan.args,
    ],
    envFile: inFile.map(([name, value]) => `${name}=${value}\n`).join(''),
    environment: Object.fromEntries(own),
  };
}

/** Selects the ports to publish: the ports that the task names, or else the ports that the image exposes. */
export function publishedPorts(plan: ContainerPlan, exposed: readonly string[]): Pairing {
  return plan.ports ? { pairs: plan.ports, warnings: [] } : pairPorts(exposed, plan.hostPorts);
}

interface Pairing {
  pairs: readonly PortPair[];
  warnings: readonly string[];
}

/**
 * Pairs the image's EXPOSEd ports, sorted ascending, with the task's host ports in order. Unpaired ports on either
 * side yield a warning, as in the original Docker executor.
 */
export function pairPorts(
  exposed: readonly string[],
  hostPorts: readonly number[],
): { pairs: PortPair[]; warnings: string[] } {
  const ports = exposed
    .map((text) => /^(\d+)(?:\/(\w+))?$/.exec(text))
    .filter((match) => match !== null)
    .map(([, port, protocol = 'tcp']) => ({ container: Number(port), protocol }))
    .sort((a, b) => a.container - b.container || (a.protocol < b.protocol ? -1 : 1));
  const pairs: PortPair[] = [];
  for (const [i, port] of ports.entries()) {
    const host = hostPorts[i];
    if (host !== undefined) pairs.push({ host, ...port });
  }
  const unpublished = ports.slice(pairs.length).map((p) => `${p.container}/${p.protocol}`);
  const unused = hostPorts.slice(pairs.length);
  return {
    pairs,
    warnings: [
      ...(unpublished.length > 0
        ? [
            `the image exposes ${unpublished.join(', ')}, but the task has no more ports; they are not published`,
          ]
        : []),
      ...(unused.length > 0
        ? [`the task has ports ${unused.join(', ')}, but the image exposes no more ports; they are not used`]
        : []),
    ],
  };
}

function publish(pair: PortPair, address: string | undefined): string {
  const bracketed = address?.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
  const suffix = pair.protocol === 'tcp' ? '' : `/${pair.protocol}`;
  return `${bracketed === undefined ? '' : `${bracketed}:`}${pair.host}:${pair.container}${suffix}`;
}

/** Quotes a field of `--mount`, which is a line of CSV. */
function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
