/** Handles unexpected errors (bugs): users see two lines, and a file gets the details. */

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { expectedFailure, type Failure } from './failure.ts';
import { EXIT } from './mesosup-error.ts';

export interface DefectContext {
  readonly version: string;
  /** The command line with the program's name. Flags contain no secrets, only the names of files with secrets. */
  readonly command: readonly string[];
  /** Directories for the report, in order of preference; the first writable one is used. */
  readonly directories: readonly string[];
}

/** Converts any error that ended a program. A bug is written to a file that only its owner can read. */
export function failureOf(error: unknown, context: DefectContext): Failure {
  return expectedFailure(error) ?? recordDefect(error, context);
}

function recordDefect(error: unknown, context: DefectContext): Failure {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  const report = writeReport(error, context);
  const remedy = report
    ? `Report the bug and attach the file ${report}`
    : 'No report was written: neither the state directory nor the temporary directory is writable.';
  return { name, message, remedy, bug: true, report, exitCode: EXIT.failed };
}

function writeReport(error: unknown, { version, command, directories }: DefectContext): string | undefined {
  const now = new Date().toISOString();
  const stamp = now.replaceAll(/[:.]/g, '');
  const text = [
    `mesosup ${version}, Node ${process.version}, ${process.platform} ${process.arch}`,
    now,
    command.join(' '),
    '',
    inspect(error, { depth: 4 }),
    '',
  ].join('\n');
  for (const directory of directories) {
    const file = path.join(directory, `bug-${stamp}-${randomBytes(3).toString('hex')}.txt`);
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
      return file;
    } catch {
      // The next directory may be writable.
    }
  }
  return undefined;
}
