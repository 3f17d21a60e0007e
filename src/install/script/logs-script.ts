/** Builds the script that prints logs of services: see `templates/host/service-logs.sh`. */

import { assemble, type HostScripts } from './host-scripts.ts';
import { unitName } from './unit-name.ts';

export interface LogsRequest {
  /** Without `.service`. */
  readonly services: readonly string[];
  /** Number of last lines; undefined for all. */
  readonly tail?: number | undefined;
  /** Seconds since 1970, or a negative number of seconds from now, by the host's clock. */
  readonly since?: number | undefined;
  /** Only lines after the one with this cursor; `tail` and `since` do not count then. */
  readonly cursor?: string | undefined;
  readonly follow: boolean;
}

/** @returns a script that prints lines for `parseServiceLine` */
export function logsScript(scripts: HostScripts, request: LogsRequest): string {
  const { services, tail, since, cursor, follow } = request;
  const values = {
    UNITS: services.map(unitName),
    TAIL: tail ?? 'all',
    SINCE: since ?? '',
    CURSOR: cursor ?? '',
    FOLLOW: follow ? 'yes' : '',
  };
  return assemble(scripts, ['environment.sh', 'service-logs.sh'], values, ['service_logs']);
}
