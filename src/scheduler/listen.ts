/** What a daemon is to whoever started it, alone or as one of several. */
export interface Daemon {
  readonly port: number;
  /** Stops without ending any task. */
  stop(): Promise<void>;
}

/** What to do where the API's port is another program's; any other error as it is. */
export function portTaken(error: unknown, host: string, port: number): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return error;
  return new Error(
    `port ${port} of ${host} is taken by another program: stop it, or choose another with --http_port`,
    { cause: error },
  );
}
