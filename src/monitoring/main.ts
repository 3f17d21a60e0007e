/** The exporter's program. Exit codes: 0 stopped by a signal, 1 fatal error, 2 wrong flags. */

import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { destination, pino } from 'pino';
import { failureOf } from '../errors/defect-report.ts';
import { failureText } from '../errors/failure.ts';
import { UsageError } from '../errors/mesosup-error.ts';
import { RELEASE } from '../release.ts';
import { serveExporter } from './edge/serve.ts';
import { EXPORTER_FLAGS, type ExporterValues, readExporterOptions } from './options.ts';

const log = pino({ level: 'info', base: null }, destination({ dest: 2, sync: true }));

function failWith(error: unknown): never {
  const program = ['mesosup-monitoring'];
  const failure = failureOf(error, { version: RELEASE, command: program, directories: [tmpdir()] });
  log.fatal(failureText(failure));
  process.exit(failure.exitCode);
}

function parseFlags(): ExporterValues {
  const options = Object.keys(EXPORTER_FLAGS).map((name) => [name, { type: 'string' as const }] as const);
  try {
    return parseArgs({ options: Object.fromEntries(options) }).values as ExporterValues;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

process.on('uncaughtException', failWith);
try {
  const options = readExporterOptions(parseFlags());
  const stopped = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopped.abort());
  await serveExporter(options, log, stopped.signal);
  process.exit(0);
} catch (error) {
  failWith(error);
}
