/** Runs a program: parses flags, logs, ends on a signal, and reports errors. */

import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failureOf } from '../../errors/defect-report.ts';
import { failureText } from '../../errors/failure.ts';
import { keepCompiledCode } from '../../proc/compiled-code.ts';
import { RELEASE } from '../../release.ts';
import { FlagError, type FlagSpecs, type FlagValues, flagOn, parseFlags, usage } from './flags.ts';
import { MESOS_VERSION } from './version.ts';

export interface Program {
  flags: FlagValues;
  readFile: (path: string) => string;
  /** Writes a line with the time to standard error and into `log_dir`. */
  log: (line: string) => void;
  /** Ends the process. */
  exit: (code: number, message: string) => void;
}

/** Runs `start`. Afterwards SIGTERM and SIGINT end the process immediately with exit code 0. Exits 1 if `start` throws. */
export async function runProgram(
  name: string,
  specs: FlagSpecs,
  start: (program: Program) => Promise<void>,
): Promise<void> {
  if (process.argv.includes('--help')) {
    process.stdout.write(usage(name, specs));
    return;
  }
  process.on('SIGTERM', () => process.exit(0));
  process.on('SIGINT', () => process.exit(0));
  let log: Program['log'] = (line) => void process.stderr.write(`${line}\n`);
  const readFile = (path: string) => readFileSync(path, 'utf8');
  const failed = (error: unknown): never => {
    const context = { version: RELEASE, command: [`mesos-${name}`], directories: [tmpdir()] };
    log(failureText(failureOf(error, context)));
    if (error instanceof FlagError) log(`See ${name} --help`);
    // Mesos' programs have one exit code for all errors.
    process.exit(1);
  };
  process.on('uncaughtException', failed);
  try {
    const flags = parseFlags(specs, process.argv.slice(2), process.env, readFile);
    if (flagOn(flags, 'version')) {
      process.stdout.write(`mesos ${MESOS_VERSION}\n`);
      return;
    }
    log = logger(name, flags);
    const exit = (code: number, message: string) => {
      log(message);
      process.exit(code);
    };
    keepCompiledCode();
    await start({ flags, readFile, log, exit });
  } catch (error) {
    failed(error);
  }
}

function logger(name: string, flags: FlagValues): (line: string) => void {
  const directory = flags.get('log_dir');
  const quiet = flagOn(flags, 'quiet');
  if (directory !== undefined) mkdirSync(directory, { recursive: true });
  return (text) => {
    const line = `${new Date().toISOString()} ${text}\n`;
    if (directory !== undefined) appendFileSync(join(directory, `mesos-${name}.INFO`), line);
    if (!quiet) process.stderr.write(line);
  };
}
