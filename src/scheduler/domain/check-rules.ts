/**
 * The rules for health and readiness checks of an app that concern several fields. Source: AppValidation and
 * HealthCheckConversion of Marathon 1.11, and its page on health checks.
 */

import type { FieldError, FieldPath } from './field-errors.ts';

interface HealthCheck {
  readonly protocol: string;
  readonly path?: string | undefined;
  readonly command?: object | undefined;
  readonly port?: number | undefined;
  readonly portIndex?: number | undefined;
  readonly delaySeconds: number;
}

interface ReadinessCheck {
  readonly portName: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
}

interface Checked {
  readonly healthChecks: readonly HealthCheck[];
  readonly readinessChecks: readonly ReadinessCheck[];
}

interface Problem {
  readonly path: FieldPath;
  readonly message: string;
}

/** @param ports of the app, as declared for its network */
export function* findCheckProblems(
  { healthChecks, readinessChecks }: Checked,
  ports: readonly { readonly name?: string | undefined }[],
): Generator<Problem> {
  const names = ports.flatMap(({ name }) => name ?? []);
  for (const [i, { portName, intervalSeconds, timeoutSeconds }] of readinessChecks.entries()) {
    const path = ['readinessChecks', i];
    if (!names.includes(portName)) {
      const message = `is '${portName}', which is not the name of a port: name a port, or use one of ${names.join(', ') || 'the names of ports (none has one)'}`;
      yield { path: [...path, 'portName'], message };
    }
    if (timeoutSeconds >= intervalSeconds) {
      const message = `must be less than intervalSeconds (${intervalSeconds})`;
      yield { path: [...path, 'timeoutSeconds'], message };
    }
  }
  for (const [i, check] of healthChecks.entries()) {
    for (const { path, message } of findProblemsOf(check, ports.length)) {
      yield { path: ['healthChecks', i, ...path], message };
    }
  }
  if (healthChecks.filter(({ protocol }) => protocol.startsWith('MESOS_')).length > 1) {
    const message = 'may have at most one check of MESOS_HTTP, MESOS_HTTPS or MESOS_TCP';
    yield { path: ['healthChecks'], message };
  }
}

function* findProblemsOf(check: HealthCheck, ports: number): Generator<Problem> {
  const { protocol, port, portIndex } = check;
  if (protocol === 'COMMAND') {
    for (const name of ['path', 'port'] as const) {
      if ((check[name] ?? '') !== '') yield { path: [name], message: "can't be combined with COMMAND" };
    }
    return;
  }
  if (check.command)
    yield { path: ['command'], message: `can't be combined with ${protocol}: it needs COMMAND` };
  if (port !== undefined && portIndex === undefined) return;
  if ((portIndex ?? 0) >= ports) {
    const message =
      ports === 0
        ? 'has no port: the app declares none; set port, or declare one'
        : `must be less than ${ports}, the number of ports`;
    yield { path: ['portIndex'], message };
  }
}

/** A check of the scheduler has no delay, as in Marathon; the default means the same as no delay. */
const DEFAULT_DELAY_SECONDS = 15;

/** Finds fields of health checks without effect, which Marathon accepts too. */
export function* findUnusedCheckFields(checks: readonly HealthCheck[]): Generator<FieldError> {
  for (const [i, check] of checks.entries()) {
    const { protocol, path = '', port, portIndex, delaySeconds } = check;
    const unused = (name: string, why: string): FieldError => {
      return { path: ['healthChecks', i, name], error: `has no effect ${why}, as in Marathon` };
    };
    if (protocol === 'COMMAND') {
      if (portIndex !== undefined) yield unused('portIndex', 'with COMMAND');
      continue;
    }
    if (protocol.endsWith('TCP') && path !== '') yield unused('path', `with ${protocol}`);
    if (port !== undefined && portIndex !== undefined) yield unused('portIndex', 'beside port');
    if (!protocol.startsWith('MESOS_') && delaySeconds !== DEFAULT_DELAY_SECONDS) {
      yield unused('delaySeconds', `with ${protocol}: use gracePeriodSeconds`);
    }
  }
}
