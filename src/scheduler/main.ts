/** The scheduler daemon. Exit codes: 0 told to stop or checked, 1 can't go on, 2 wrong flags. */

import { destination, pino } from 'pino';
import { startDaemon } from './daemon.ts';
import { FlagError, readFlags, usage } from './flags.ts';
import { checkCertificate } from './listen.ts';
import { optionsFrom } from './options.ts';

const log = pino({ level: 'info', base: null }, destination({ dest: 2, sync: true }));
// Unknown flags end the reading before it says whether this is a check.
const checks = process.argv.includes('--check');

function fail(message: string, exitCode: number): never {
  if (checks) process.stderr.write(`${message}\n`);
  else log.fatal(message);
  process.exit(exitCode);
}

try {
  const flags = readFlags(process.argv.slice(2), process.env);
  if (flags.on('help')) {
    process.stdout.write(usage());
    process.exit(0);
  }
  const options = optionsFrom(flags);
  if (checks) {
    if (options.tls) checkCertificate(options.tls);
    process.exit(0);
  }
  log.level = options.loggingLevel;
  const daemon = await startDaemon(options, log, (message) => fail(message, 1));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info(`${signal}: stopping; the tasks go on`);
      daemon.stop().then(
        () => process.exit(0),
        (error: unknown) => fail(String(error), 1),
      );
    });
  }
} catch (error) {
  fail(error instanceof Error ? error.message : String(error), error instanceof FlagError ? 2 : 1);
}
