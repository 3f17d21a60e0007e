/** Errors for users. Any other error that ends a program is a bug. */

/** Exit codes; a command without an error exits with 0. `changes`: "plan" found changes to make. */
export const EXIT = { failed: 1, usage: 2, changes: 3, interrupted: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface ErrorDetails {
  /** What to do next, as a sentence; missing if the message contains it. */
  readonly remedy?: string | undefined;
  /** Location of the error: a host's name, a file, a field of a document. */
  readonly host?: string | undefined;
  readonly path?: string | undefined;
  readonly field?: string | undefined;
  /** Identifies the kind of failure, for programs and tests. */
  readonly failure?: string | undefined;
  /** The problems of several hosts, for programs; the message contains them too. */
  readonly problems?: readonly HostProblem[] | undefined;
  readonly cause?: unknown;
}

/** A problem of a host, with what to do. */
export interface HostProblem {
  readonly host: string;
  readonly message: string;
  readonly remedy: string;
}

/** The message says what happened and where. Neither the message nor the remedy contains a secret. */
export class MesosupError extends Error {
  override name = 'MesosupError';
  readonly exitCode: ExitCode = EXIT.failed;
  readonly remedy: string | undefined;
  readonly host: string | undefined;
  readonly path: string | undefined;
  readonly field: string | undefined;
  readonly failure: string | undefined;
  readonly problems: readonly HostProblem[] | undefined;

  constructor(message: string, { remedy, host, path, field, failure, problems, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.remedy = remedy;
    this.host = host;
    this.path = path;
    this.field = field;
    this.failure = failure;
    this.problems = problems;
  }
}

/** Invalid flags, arguments, environment or input file. Nothing was started. */
export class UsageError extends MesosupError {
  override name = 'UsageError';
  override readonly exitCode = EXIT.usage;
}

/** The program was interrupted by Ctrl-C or a signal. */
export class Interrupted extends MesosupError {
  override name = 'Interrupted';
  override readonly exitCode = EXIT.interrupted;
}
