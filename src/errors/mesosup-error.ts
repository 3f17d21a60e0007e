/** Errors that are for people. Any other error that reaches a program's end is a bug of the program. */

/** Exit codes; a command without an error exits with 0. `changes`: "plan" found changes to make. */
export const EXIT = { failed: 1, usage: 2, changes: 3, interrupted: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface ErrorDetails {
  /** What to do next, as a sentence; nothing where the message says it. */
  readonly remedy?: string | undefined;
  /** Where it happened: a host's name, a file, a field of a document. */
  readonly host?: string | undefined;
  readonly path?: string | undefined;
  readonly field?: string | undefined;
  /** The kind of failure, a key for programs and tests. */
  readonly failure?: string | undefined;
  readonly cause?: unknown;
}

/** The message says what happened and where. Neither it nor the remedy holds a secret. */
export class MesosupError extends Error {
  override name = 'MesosupError';
  readonly exitCode: ExitCode = EXIT.failed;
  readonly remedy: string | undefined;
  readonly host: string | undefined;
  readonly path: string | undefined;
  readonly field: string | undefined;
  readonly failure: string | undefined;

  constructor(message: string, { remedy, host, path, field, failure, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.remedy = remedy;
    this.host = host;
    this.path = path;
    this.field = field;
    this.failure = failure;
  }
}

/** Flags, arguments, the environment or a file that was named don't do: nothing was begun. */
export class UsageError extends MesosupError {
  override name = 'UsageError';
  override readonly exitCode = EXIT.usage;
}

/** Ctrl-C, or a signal to end. */
export class Interrupted extends MesosupError {
  override name = 'Interrupted';
  override readonly exitCode = EXIT.interrupted;
}
