/**
 * The load balancer's program. Exit codes: 0 stopped by a signal, 1 fatal error, 2 wrong flags. haproxy keeps running when
 * it ends; `--stop` ends haproxy. `--check` only checks the flags and the files that they name.
 */

import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { destination, pino } from 'pino';
import { failureOf } from '../errors/defect-report.ts';
import { failureText } from '../errors/failure.ts';
import { UsageError } from '../errors/mesosup-error.ts';
import { RELEASE } from '../release.ts';
import { connectScheduler } from './edge/connect.ts';
import { Haproxy } from './edge/haproxy.ts';
import { readCertificates, readTemplates } from './edge/operator-files.ts';
import { runBalancer } from './edge/run.ts';
import { LB_FLAGS, type LbValues, readOptions } from './options.ts';

const log = pino({ level: 'info', base: null }, destination({ dest: 2, sync: true }));

function failWith(error: unknown): never {
  const failure = failureOf(error, { version: RELEASE, command: ['mesosup-lb'], directories: [tmpdir()] });
  log.fatal(failureText(failure));
  process.exit(failure.exitCode);
}

interface Values extends LbValues {
  readonly stop?: boolean;
  readonly check?: boolean;
}

function parseFlags(): Values {
  const entries = Object.entries(LB_FLAGS).map(
    ([name, flag]) => [name, { type: 'value' in flag ? ('string' as const) : ('boolean' as const) }] as const,
  );
  try {
    const own = { stop: { type: 'boolean' }, check: { type: 'boolean' } } as const;
    const { values } = parseArgs({ options: { ...Object.fromEntries(entries), ...own } });
    return values as Values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

process.on('uncaughtException', failWith);
try {
  const values = parseFlags();
  const options = readOptions(values);
  if (values.stop === true) {
    await new Haproxy(options.haproxy, options.dataDirectory).stop();
    process.exit(0);
  }
  const client = connectScheduler(options, (message) => log.warn(message));
  if (values.check === true) {
    await readCertificates(options.certificateDirectory);
    await readTemplates(options.templateDirectory);
    process.exit(0);
  }
  const stopped = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info(`${signal}: stopping; haproxy keeps running`);
      stopped.abort();
    });
  }
  await runBalancer(options, client, log, stopped.signal);
  process.exit(0);
} catch (error) {
  failWith(error);
}
