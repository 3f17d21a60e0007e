/** Formats errors: as text for users, as JSON for programs. */

import { type ErrorDetails, EXIT, type ExitCode, MesosupError } from './mesosup-error.ts';

export interface Failure extends Omit<ErrorDetails, 'cause'> {
  /** The error's class. */
  readonly name: string;
  readonly message: string;
  readonly exitCode: ExitCode;
  /** True for a bug of the program. */
  readonly bug?: true;
  /** The file with the details of the bug; missing if it could not be written. */
  readonly report?: string | undefined;
}

/** Errors of inquirer's prompts after Ctrl-C. No command changes anything before its last question. */
const ENDED_PROMPTS = new Set(['ExitPromptError', 'AbortPromptError']);

/** Returns undefined for an unexpected error: a bug. */
export function expectedFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, message } = error;
  if (error instanceof MesosupError) {
    const { exitCode, remedy, host, path, field, failure, problems } = error;
    return { name, message, exitCode, remedy, host, path, field, failure, problems };
  }
  // Errors of oclif about the command line.
  if ('oclif' in error) return { name: 'UsageError', message, exitCode: exitOf(error.oclif) };
  if (ENDED_PROMPTS.has(name)) {
    const message = 'Interrupted at a question. Nothing was changed.';
    return { name: 'Interrupted', message, exitCode: EXIT.interrupted };
  }
  // Errors of the operating system. Their messages contain the system call and the file.
  if ('syscall' in error) return { name, message, exitCode: EXIT.failed };
  return undefined;
}

function exitOf(oclif: unknown): ExitCode {
  const isUsage = typeof oclif === 'object' && oclif !== null && 'exit' in oclif && oclif.exit === EXIT.usage;
  return isUsage ? EXIT.usage : EXIT.failed;
}

/** Formats the error and, on a second line, its remedy. */
export function failureText({ name, message, remedy, bug }: Failure): string {
  const first = bug ? `mesosup stopped because of a bug: ${name}: ${message.split('\n', 1)[0]}` : message;
  return remedy ? `${first}\n→ ${remedy}` : first;
}

/** Formats the output of a command with --json. */
export function failureJson({ exitCode: _exitCode, ...error }: Failure): { error: object } {
  return { error };
}
