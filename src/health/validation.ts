/** Validates health checks with the texts of Mesos 1.11 (src/common/validation.cpp). Pure. */

import type { CommandInfo, HealthCheck } from '../mesos/types.ts';

/** @returns the problem of the check; undefined if it is valid */
export function healthCheckError(check: HealthCheck): string | undefined {
  return kindError(check) ?? secondsError(check);
}

function kindError(check: HealthCheck): string | undefined {
  switch (check.type) {
    case undefined:
      return "HealthCheck must specify 'type'";
    case 'COMMAND':
      return check.command
        ? commandError(check.command)
        : "Expecting 'command' to be set for COMMAND health check";
    case 'HTTP':
      return check.http ? httpError(check.http) : "Expecting 'http' to be set for HTTP health check";
    case 'TCP':
      return check.tcp ? undefined : "Expecting 'tcp' to be set for TCP health check";
    default:
      // Mesos reads an unknown type as the first value of the enum.
      return "'UNKNOWN' is not a valid health check type";
  }
}

function commandError(command: CommandInfo): string | undefined {
  if (command.value === undefined) {
    const kind = (command.shell ?? true) ? "'shell command'" : "'executable path'";
    return `Command health check must contain ${kind}`;
  }
  const empty = command.environment?.variables.find(({ value }) => value === undefined);
  if (empty) {
    const wrong = `Environment variable '${empty.name}' of type 'VALUE' must have a value set`;
    return `Health check's \`CommandInfo\` is invalid: ${wrong}`;
  }
  return undefined;
}

function httpError({ scheme, path }: NonNullable<HealthCheck['http']>): string | undefined {
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    return `Unsupported HTTP health check scheme: '${scheme}'`;
  }
  if (path !== undefined && !path.startsWith('/')) {
    return `The path '${path}' of HTTP health check must start with '/'`;
  }
  return undefined;
}

function secondsError(check: HealthCheck): string | undefined {
  const names = ['delay_seconds', 'grace_period_seconds', 'interval_seconds', 'timeout_seconds'] as const;
  const negative = names.find((name) => (check[name] ?? 0) < 0);
  return negative && `Expecting '${negative}' to be non-negative`;
}
