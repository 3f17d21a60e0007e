/** What both programs do around their flags: log, end on a signal, end with the reason where they can't start. */

import { FlagError, type FlagSpecs, usage } from './flags.ts';

/** Runs `start`; afterwards SIGTERM and SIGINT end the process at once, exit 0. Exits 1 where `start` throws. */
export async function runProgram(
  name: string,
  flags: FlagSpecs,
  start: (log: (line: string) => void) => Promise<void>,
): Promise<void> {
  if (process.argv.includes('--help')) {
    process.stdout.write(usage(name, flags));
    return;
  }
  process.on('SIGTERM', () => process.exit(0));
  process.on('SIGINT', () => process.exit(0));
  const log = (line: string) => void process.stderr.write(`${line}\n`);
  try {
    await start(log);
  } catch (error) {
    log((error as Error).message);
    if (error instanceof FlagError) log(`See ${name} --help`);
    process.exit(1);
  }
}
