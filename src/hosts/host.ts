/** How a host is reached, whatever lies between: SSH, or nothing for this machine. */

import type { Readable } from 'node:stream';
import { MesosupError } from '../errors/mesosup-error.ts';

/** A host with its connection. One connection serves all runs; it is opened by the first and kept alive. */
export interface Host {
  /** As people know it: the spec's name. */
  readonly name: string;
  /**
   * Runs a POSIX sh script as root and gives what it wrote. The script travels by standard input, so nothing of it
   * shows in an argument list, and it runs only once it is there to the last byte.
   * @throws HostError when the host can't be reached or become root on, or the connection is lost under way; a
   * script that fails is no error: see `code`
   */
  run(script: string, options?: RunOptions): Promise<RunResult>;
  close(): Promise<void>;
}

export interface RunOptions {
  /** What the script reads from its standard input; nothing by default. */
  readonly input?: Readable | Uint8Array;
  /** Each whole line of standard output, without its end, as it comes; `stdout` of the result is then empty. */
  readonly onLine?: (line: string) => void;
  /** Ends the run: the connection's channel is closed, which doesn't end what the script detached. */
  readonly signal?: AbortSignal;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit code, or null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
}

/** Why a host can't be used: a key to tests and to `--json`. */
export type HostFailure =
  | 'unreachable' // no address, refused, timed out
  | 'host-key' // unknown, changed or revoked
  | 'authentication' // no key, password or agent was accepted
  | 'login' // the login shell did not run the command
  | 'root' // sudo is missing, refuses, or its password is wrong
  | 'lost' // the connection ended under way
  | 'release' // a later release of mesosup has changed it
  | 'configuration'; // a file that says how to connect is wrong

/** A host can't be used. */
export class HostError extends MesosupError {
  override name = 'HostError';
  declare readonly host: string;
  declare readonly failure: HostFailure;
  declare readonly remedy: string;

  constructor(host: string, failure: HostFailure, message: string, remedy: string, cause?: unknown) {
    super(message, { host, failure, remedy, cause });
  }
}
