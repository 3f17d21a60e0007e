/** How an error is shown: the one text for people, the one object for programs. */

import { type ErrorDetails, EXIT, type ExitCode, MesosupError } from './mesosup-error.ts';

export interface Failure extends Omit<ErrorDetails, 'cause'> {
  /** The error's class. */
  readonly name: string;
  readonly message: string;
  readonly exitCode: ExitCode;
  /** The program is wrong. */
  readonly bug?: true;
  /** The file with all that is known of the bug; missing where none could be written. */
  readonly report?: string | undefined;
}

/** Prompts of inquirer end so on Ctrl-C. */
const ENDED_PROMPTS = new Set(['ExitPromptError', 'AbortPromptError']);

/** Undefined for an error that no code expects: a bug. */
export function expectedFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, message } = error;
  if (error instanceof MesosupError) {
    const { exitCode, remedy, host, path, field, failure } = error;
    return { name, message, exitCode, remedy, host, path, field, failure };
  }
  // The command line's, by oclif.
  if ('oclif' in error) return { name: 'UsageError', message, exitCode: exitOf(error.oclif) };
  if (ENDED_PROMPTS.has(name)) return { name, message, exitCode: EXIT.interrupted };
  // The operating system's: the message names call and file.
  if ('syscall' in error) return { name, message, exitCode: EXIT.failed };
  return undefined;
}

function exitOf(oclif: unknown): ExitCode {
  const isUsage = typeof oclif === 'object' && oclif !== null && 'exit' in oclif && oclif.exit === EXIT.usage;
  return isUsage ? EXIT.usage : EXIT.failed;
}

/** What happened, and in a second line what to do next. */
export function failureText({ name, message, remedy, bug }: Failure): string {
  const first = bug ? `mesosup has a bug and stopped: ${name}: ${message.split('\n', 1)[0]}` : message;
  return remedy ? `${first}\n→ ${remedy}` : first;
}

/** What a command prints with --json. */
export function failureJson({ exitCode: _exitCode, ...error }: Failure): { error: object } {
  return { error };
}
