/** What the program does with an error that no code expects: people get two lines, and a file gets the rest. */

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { stateHome } from './cluster/edge/state.ts';
import { Defect } from './text/defect.ts';

/** Errors of the language: whoever throws one made a mistake, wherever it comes out. */
const MISTAKES = new Set(['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'AssertionError']);

/** True of an error that is a bug of this program. */
export function isDefect(error: unknown): boolean {
  if (error instanceof Defect) return true;
  return error instanceof Error && !('oclif' in error) && MISTAKES.has(error.name);
}

export interface DefectContext {
  readonly version: string;
  /** The command line without the program: flags hold no secrets, only names of files that do. */
  readonly args: readonly string[];
  /** Directories for the report; the first that can be written is taken. */
  readonly directories?: readonly string[];
}

/** Writes the report, for its owner alone, and says where it is. Sets exit code 1. */
export function reportDefect(error: unknown, context: DefectContext): void {
  const cause = error instanceof Defect ? error.cause : error;
  const { name, message } = cause instanceof Error ? cause : { name: 'Error', message: String(cause) };
  const file = writeReport(cause, context);
  const first = message.split('\n', 1)[0] ?? '';
  const next = file
    ? `Report it with the file ${file}`
    : 'No report could be written: neither the state directory nor the temporary one is writable.';
  if (context.args.includes('--json')) {
    process.stdout.write(
      `${JSON.stringify({ error: { name, message, mend: next, bug: true, report: file } })}\n`,
    );
  } else {
    process.stderr.write(`mesosup has a bug and stopped: ${name}: ${first}\n→ ${next}\n`);
  }
  process.exitCode = 1;
}

function writeReport(error: unknown, { version, args, directories }: DefectContext): string | undefined {
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '');
  const text = [
    `mesosup ${version}, Node ${process.version}, ${process.platform} ${process.arch}`,
    new Date().toISOString(),
    `mesosup ${args.join(' ')}`,
    '',
    inspect(error, { depth: 4 }),
    '',
  ].join('\n');
  for (const directory of directories ?? [stateHome(process.env, homedir()), tmpdir()]) {
    const file = path.join(directory, `bug-${stamp}-${randomBytes(3).toString('hex')}.txt`);
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
      return file;
    } catch {
      // The next one may be writable.
    }
  }
  return undefined;
}
