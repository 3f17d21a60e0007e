import { HostError } from './host.ts';

/** A connection that was there is there no more. @param error what ended it, where that is known */
export function lost(host: string, error?: unknown): HostError {
  const why = error instanceof Error ? `: ${error.message}` : '';
  return new HostError(
    host,
    'lost',
    `the connection to ${host} was lost${why}`,
    'Run the same command again: it finds what is still running on the host, or what is left to do.',
    error,
  );
}
