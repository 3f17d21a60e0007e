/** The scheduler daemon. Exit codes: 0 stopped by a signal or successful --check, 1 fatal error, 2 wrong flags. */

import { tmpdir } from 'node:os';
import path from 'node:path';
import { destination, pino } from 'pino';
import { failureOf } from '../errors/defect-report.ts';
import { failureText } from '../errors/failure.ts';
import { keepCompiledCode } from '../proc/compiled-code.ts';
import { RELEASE } from '../release.ts';
import { startDaemon } from './daemon.ts';
import { optionsFrom } from './flags/options.ts';
import { readFlags, usage } from './flags/parse-flags.ts';
import { checkCertificate } from './listen.ts';
import { createPage } from './page/page.ts';

const log = pino({ level: 'info', base: null }, destination({ dest: 2, sync: true }));
// Read here, since parsing fails at an unknown flag before it returns --check.
const checks = process.argv.includes('--check');

function fail(message: string, exitCode: number): never {
  if (checks) process.stderr.write(`${message}\n`);
  else log.fatal(message);
  process.exit(exitCode);
}

/** Directories for reports of bugs. /tmp comes last: a service's private /tmp is removed when it stops. */
let reports = [tmpdir()];

function failWith(error: unknown): never {
  const failure = failureOf(error, {
    version: RELEASE,
    command: ['mesosup-scheduler'],
    directories: reports,
  });
  fail(failureText(failure), failure.exitCode);
}

process.on('uncaughtException', failWith);
try {
  const flags = readFlags(process.argv.slice(2), process.env);
  if (flags.isOn('help')) {
    process.stdout.write(usage());
    process.exit(0);
  }
  const options = optionsFrom(flags);
  if (checks) {
    if (options.tls) checkCertificate(options.tls);
    process.exit(0);
  }
  reports = [options.dataDirectory, tmpdir()];
  log.level = options.loggingLevel;
  // Beside the bundle of this program; a checkout has no page there.
  const directory = path.join(import.meta.dirname, 'ui');
  const page = createPage(directory, (what, error) => log.error({ err: error }, what));
  keepCompiledCode();
  const daemon = await startDaemon(options, log, page, (message) => fail(message, 1));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info(`${signal}: stopping; the tasks keep running`);
      daemon.stop().then(() => process.exit(0), failWith);
    });
  }
} catch (error) {
  failWith(error);
}
