/** Splits an app's health and readiness checks into those of the executor and those of the scheduler. */

import type { HealthCheck } from '../../mesos/types.ts';
import { type App, portsOf } from './app.ts';

type Check = App['healthChecks'][number];

/** A check that the scheduler makes over the network, on the task's host. */
export interface Probe {
  readonly check: HealthCheck;
  /** True for a readiness check: it is not repeated after it has passed, and its failures never kill the task. */
  readonly once: boolean;
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

/** @returns the check that the task's executor makes */
export function agentCheck(app: App, ports: readonly number[]): HealthCheck | undefined {
  const check = app.healthChecks.find(isOnAgent);
  return check && { ...timing(check), ...target(check, ports) };
}

/** @returns the checks that the scheduler makes */
export function probesOf(app: App, ports: readonly number[]): Probe[] {
  const health = app.healthChecks
    .filter((check) => !isOnAgent(check))
    .map(
      (check): Probe => ({
        check: { ...timing(check), delay_seconds: 0, ...target(check, ports) },
        once: false,
      }),
    );
  const readiness = app.readinessChecks.map((check): Probe => {
    const named = portsOf(app).findIndex(({ name }) => name === check.portName);
    const port = ports[Math.max(0, named)] ?? 0;
    const scheme = check.protocol.toLowerCase();
    return {
      check: {
        type: 'HTTP',
        delay_seconds: 0,
        interval_seconds: check.intervalSeconds,
        timeout_seconds: check.timeoutSeconds,
        consecutive_failures: 0,
        http: { port, path: check.path, scheme, statuses: check.httpStatusCodesForReady },
      },
      once: true,
    };
  });
  return [...health, ...readiness];
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

function target(
  { protocol, path, command, port: fixed, portIndex }: Check,
  ports: readonly number[],
): HealthCheck {
  if (protocol === 'COMMAND')
    return { type: 'COMMAND', command: { value: command?.value ?? '', shell: true } };
  const port = fixed ?? ports[portIndex ?? 0] ?? 0;
  if (protocol.endsWith('TCP')) return { type: 'TCP', tcp: { port } };
  const scheme = protocol.endsWith('HTTPS') ? 'https' : 'http';
  return { type: 'HTTP', http: { port, path: path ?? '/', scheme } };
}
