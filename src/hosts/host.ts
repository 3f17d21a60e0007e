/** A host that runs scripts: over SSH, or this machine itself. */

import type { Readable } from 'node:stream';
import { MesosupError } from '../errors/mesosup-error.ts';

/** A host with its connection. The first run opens the connection; all runs share it. */
export interface Host {
  /** The name in the spec. */
  readonly name: string;
  /**
   * Runs a POSIX sh script as root and returns its output. The script is sent over standard input, so it never
   * appears in an argument list, and it starts only after its last byte has arrived.
   * @throws HostError if the host can't be reached, root can't be obtained, or the connection is lost during the run; a
   * script that fails is not an error: see `code`
   */
  run(script: string, options?: RunOptions): Promise<RunResult>;
  close(): Promise<void>;
}

export interface RunOptions {
  /** The script's standard input. Default: empty. */
  readonly input?: Readable | Uint8Array;
  /** Called for each complete line of standard output, without its line end; `stdout` of the result is then empty. */
  readonly onLine?: (line: string) => void;
  /** The same for standard error and `stderr`. */
  readonly onErrorLine?: (line: string) => void;
  /** Ends the run by closing its channel. Processes that the script detached keep running. */
  readonly signal?: AbortSignal;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit code, or null if a signal ended the script. */
  readonly code: number | null;
  readonly signal: string | null;
}

/** The reason why a host can't be used; part of `--json`. */
export type HostFailure =
  | 'unreachable' // no address, refused, timed out
  | 'host-key' // unknown, changed or revoked
  | 'authentication' // no key, password or agent was accepted
  | 'login' // the login shell did not run the command
  | 'root' // sudo is missing, refuses, or its password is wrong
  | 'lost' // the connection ended during a run
  | 'release' // a later release of mesosup has changed it
  | 'configuration'; // an SSH configuration file is wrong

export class HostError extends MesosupError {
  override name = 'HostError';
  declare readonly host: string;
  declare readonly failure: HostFailure;
  declare readonly remedy: string;

  constructor(host: string, failure: HostFailure, message: string, remedy: string, cause?: unknown) {
    super(message, { host, failure, remedy, cause });
  }
}
