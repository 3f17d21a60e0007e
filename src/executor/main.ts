/**
 * The program behind the executor's supervisor. Started by a Mesos agent it is the worker. Started by hand or by a
 * timer as `janitor [--cluster NAME] [--once]` it removes containers whose executor is gone, once or every minute.
 */

import { fstatSync } from 'node:fs';
import { ExecutorEnvironmentError, readExecutorEnvironment } from '../mesos/executor-environment.ts';
import { logToStderr } from './log.ts';
import { startWorker, type Worker } from './worker.ts';

/** The supervisor doesn't restart a worker that ends so. */
const EXIT_USAGE = 2;
const IDLE_TIMEOUT_S = 60;
const JANITOR_EVERY_MS = 60_000;

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  // An executor of Mesos may be told to run an image of that name.
  const byMesos = process.env.MESOS_EXECUTOR_ID !== undefined;
  if (argv[0] === 'janitor' && !byMesos) await janitor(argv.slice(1));
  else work(argv);
}

function work(argv: string[]): void {
  const environment = readExecutorEnvironment(process.env);
  delete process.env.MESOS_EXECUTOR_AUTHENTICATION_TOKEN;
  const worker = startWorker({
    environment,
    own: { argv, env: { ...process.env } },
    publishAddress: process.env.MESOSUP_PUBLISH_ADDRESS || undefined,
    idleTimeoutMs: idleTimeoutMs(process.env.MESOSUP_EXECUTOR_IDLE_TIMEOUT),
    log: logToStderr,
    onCluster: (cluster) => {
      clean(cluster).catch((error: unknown) => {
        logToStderr({ level: 'warning', msg: 'the janitor could not work', reason: String(error) });
      });
    },
    onFinished: () => process.exit(0),
  });
  process.on('SIGTERM', () => worker.shutDown());
  process.on('SIGINT', () => worker.shutDown());
  watchSupervisor(worker);
}

/** The supervisor holds the other end of our standard input: its end is the executor's end to Mesos. */
function watchSupervisor(worker: Worker): void {
  if (!fstatSync(0).isFIFO()) return;
  process.stdin.once('end', () => void worker.abandon('the supervisor is gone'));
  process.stdin.resume();
}

/** @param text seconds */
function idleTimeoutMs(text: string | undefined): number {
  const seconds = Number(text ?? IDLE_TIMEOUT_S);
  if (text !== '' && seconds >= 0 && Number.isFinite(seconds)) return seconds * 1000;
  throw new ExecutorEnvironmentError(`MESOSUP_EXECUTOR_IDLE_TIMEOUT is "${text}", not a number of seconds`);
}

async function janitor(argv: string[]): Promise<void> {
  const { parseArgs } = await import('node:util');
  const { values } = parseArgs({
    args: argv,
    options: { cluster: { type: 'string' }, once: { type: 'boolean' } },
  });
  do {
    await clean(values.cluster);
    if (!values.once) await new Promise((resolve) => setTimeout(resolve, JANITOR_EVERY_MS));
  } while (!values.once);
}

async function clean(cluster: string | undefined): Promise<void> {
  const { removeOrphans } = await import('./janitor.ts');
  const { DockerEngine } = await import('../docker/engine.ts');
  await removeOrphans({ engine: new DockerEngine(), cluster, log: logToStderr });
}

main().catch((error: unknown) => {
  const usage = error instanceof ExecutorEnvironmentError || isBadFlag(error);
  logToStderr({ level: 'error', msg: error instanceof Error ? error.message : String(error) });
  process.exitCode = usage ? EXIT_USAGE : 1;
});

function isBadFlag(error: unknown): boolean {
  return (
    error instanceof TypeError && String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS')
  );
}
