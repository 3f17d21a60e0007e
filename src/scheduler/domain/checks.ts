/** Splits an app's health and readiness checks into those of the executor and those of the scheduler. */

import type { HealthCheck } from '../../mesos/types.ts';
import { type App, hasOwnNetwork } from './app.ts';
import type { FieldError } from './field-errors.ts';
import type { Task } from './task.ts';
import { type Address, addressOf, containerAddress, hasOwnAddress, taskPorts } from './task-ports.ts';

type Check = App['healthChecks'][number];

type ProbedTask = Pick<Task, 'ports' | 'host' | 'addresses'>;

/** A check that the scheduler makes over the network. */
export interface Probe {
  readonly check: HealthCheck;
  /** The task's host, or the address of its container; undefined if the container has none. */
  readonly host: string | undefined;
  /** True if the port may be published by Docker's proxy, which accepts connections even if nothing listens behind it. */
  readonly published: boolean;
  /** True for a readiness check: it is not repeated after it has passed, and its failures never kill the task. */
  readonly once: boolean;
  readonly keepsResponse?: boolean;
}

const ON_AGENT: ReadonlySet<Check['protocol']> = new Set([
  'COMMAND',
  'MESOS_HTTP',
  'MESOS_HTTPS',
  'MESOS_TCP',
]);

/** True if the executor makes the check on the agent. Mesos supports one such check per task. */
export function isOnAgent({ protocol }: Check): boolean {
  return ON_AGENT.has(protocol);
}

/**
 * Combines the checks that the task's executor makes into the only one that Mesos supports. It passes if all commands
 * pass, and takes the times of the first.
 * @param inContainer true if the check is made in the network of the container, as by Mesos' own executors; otherwise
 * published ports are checked on the host, others at the address of the container
 */
export function agentCheck(
  app: App,
  task: Pick<Task, 'ports'>,
  inContainer: boolean,
): HealthCheck | undefined {
  const [first, ...others] = combinedChecks(app.healthChecks);
  if (!first) return undefined;
  const { hostPort, containerPort } = taskPorts(app, task.ports)[first.portIndex ?? 0] ?? {};
  const port = (inContainer ? containerPort : undefined) ?? hostPort ?? containerPort ?? 0;
  const check = { ...timing(first), ...target(first, first.port ?? port) };
  if (others.length === 0) return check;
  const commands = [first, ...others].map(({ command }) => `(\n${command?.value ?? ''}\n)`);
  const timeout = [first, ...others].reduce((sum, { timeoutSeconds }) => sum + timeoutSeconds, 0);
  return { ...check, timeout_seconds: timeout, command: { value: commands.join(' && '), shell: true } };
}

/** @returns the number of checks that the scheduler makes */
export function countProbes(app: App): number {
  return app.healthChecks.filter((check) => !isOnAgent(check)).length + app.readinessChecks.length;
}

function combinedChecks(checks: readonly Check[]): readonly Check[] {
  const onAgent = checks.filter(isOnAgent);
  return onAgent[0]?.protocol === 'COMMAND'
    ? onAgent.filter(({ protocol }) => protocol === 'COMMAND')
    : onAgent.slice(0, 1);
}

const TIMES = ['gracePeriodSeconds', 'intervalSeconds', 'maxConsecutiveFailures', 'delaySeconds'] as const;

/** Finds checks, or times of them, without effect, since Mesos supports one check of an executor per task. */
export function* findUnusedChecks(checks: readonly Check[]): Generator<FieldError> {
  const combined = combinedChecks(checks);
  const [first] = combined;
  for (const [i, check] of checks.entries()) {
    const path = ['healthChecks', i];
    if (!first || check === first || !isOnAgent(check)) continue;
    if (!combined.includes(check)) {
      const error = `has no effect, as in Marathon: Mesos runs one such check per task, here ${first.protocol}`;
      yield { path, error };
      continue;
    }
    for (const name of TIMES) {
      if (check[name] === first[name]) continue;
      yield { path: [...path, name], error: `has no effect: the commands run together, with ${first[name]}` };
    }
  }
}

/** @returns the checks that the scheduler makes */
export function probesOf(app: App, task: ProbedTask): Probe[] {
  const ports = taskPorts(app, task.ports);
  const addresses = ports.map((port) => addressOf(port, task));
  const published = hasOwnNetwork(app);
  const health = app.healthChecks
    .filter((check) => !isOnAgent(check))
    .map((check): Probe => {
      const { host, port } = probedAddress(app, task, check, addresses);
      return {
        check: { ...timing(check), delay_seconds: 0, ...target(check, port) },
        host,
        published,
        once: false,
      };
    });
  const readiness = app.readinessChecks.map((check): Probe => {
    const named = ports.findIndex(({ name }) => name === check.portName);
    const { host, port } = addresses[Math.max(0, named)] ?? { host: ownHost(app, task), port: 0 };
    return {
      check: {
        type: 'HTTP',
        delay_seconds: 0,
        interval_seconds: check.intervalSeconds,
        timeout_seconds: check.timeoutSeconds,
        consecutive_failures: 0,
        http: {
          port,
          path: absolutePath(check.path),
          scheme: check.protocol.toLowerCase(),
          statuses: check.httpStatusCodesForReady,
        },
      },
      host,
      published,
      once: true,
      keepsResponse: check.preserveLastResponse,
    };
  });
  return [...health, ...readiness];
}

/** A fixed port is one of the container, if that has an address of its own. */
function probedAddress(
  app: App,
  task: ProbedTask,
  { port, portIndex }: Check,
  addresses: readonly (Address | undefined)[],
): Probed {
  if (port !== undefined) return { host: ownHost(app, task), port };
  return addresses[portIndex ?? 0] ?? { host: ownHost(app, task), port: 0 };
}

interface Probed {
  readonly host: string | undefined;
  readonly port: number;
}

function ownHost(app: App, task: ProbedTask): string | undefined {
  return hasOwnAddress(app) ? containerAddress(task) : task.host;
}

/** True if a check of the scheduler needs the address of the container, which Mesos reports. */
export function needsAddress(app: App): boolean {
  const unknown = { ports: [], host: 'host', addresses: [] };
  return probesOf(app, unknown).some(({ host }) => host === undefined);
}

function timing(check: Check): HealthCheck {
  return {
    delay_seconds: check.delaySeconds,
    interval_seconds: check.intervalSeconds,
    timeout_seconds: check.timeoutSeconds,
    grace_period_seconds: check.gracePeriodSeconds,
    consecutive_failures: check.maxConsecutiveFailures,
  };
}

function target({ protocol, path, command }: Check, port: number): HealthCheck {
  if (protocol === 'COMMAND')
    return { type: 'COMMAND', command: { value: command?.value ?? '', shell: true } };
  if (protocol.endsWith('TCP')) return { type: 'TCP', tcp: { port } };
  const scheme = protocol.endsWith('HTTPS') ? 'https' : 'http';
  return { type: 'HTTP', http: { port, path: absolutePath(path), scheme } };
}

/** Mesos refuses a path without a slash; Marathon adds it. */
function absolutePath(path = ''): string {
  return path.startsWith('/') ? path : `/${path}`;
}
