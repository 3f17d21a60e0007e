import { HostError } from './host.ts';

/** The error of a connection that ended during a run. @param error the cause, if known */
export function connectionLost(host: string, error?: unknown): HostError {
  const why = error instanceof Error ? `: ${error.message}` : '';
  return new HostError(
    host,
    'lost',
    `the connection to ${host} was lost${why}`,
    'Run the same command again: it follows the changes that are in progress on the host, and then makes the remaining changes.',
    error,
  );
}
