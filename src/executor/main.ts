/**
 * The program that the executor's supervisor starts. Under a Mesos agent it is the worker. Started by hand or by a
 * timer as `janitor [--cluster NAME] [--once] [--dry-run]`, it removes containers whose executor is gone and images that
 * are no longer used, once or every minute.
 */

import { fstatSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DockerEngine } from '../docker/engine.ts';
import { failureOf } from '../errors/defect-report.ts';
import { failureText } from '../errors/failure.ts';
import { UsageError } from '../errors/mesosup-error.ts';
import { readExecutorEnvironment } from '../mesos/executor-environment.ts';
import { RELEASE } from '../release.ts';
import { POLICY_FILE, readPolicy } from './agent-policy.ts';
import { cleanUpSettings } from './domain/image-clean-up.ts';
import { ImageRecords } from './image-records.ts';
import { logToStderr } from './log.ts';
import { startWorker, type Worker } from './worker.ts';

const IDLE_TIMEOUT_S = 60;
const JANITOR_EVERY_MS = 60_000;

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  // A task of the 2013 form may have an image named "janitor".
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
    policyFile: policyFile(),
    imageRecords: imageRecords(),
    schedulersFile: process.env.MESOSUP_SCHEDULERS_FILE,
    idleTimeoutMs: idleTimeoutMs(process.env.MESOSUP_EXECUTOR_IDLE_TIMEOUT),
    log: logToStderr,
    onCluster: (cluster) => {
      clean(cluster).catch((error: unknown) => {
        logToStderr({ level: 'warning', msg: 'the janitor failed', reason: String(error) });
      });
    },
    onFinished: () => process.exit(0),
  });
  process.on('SIGTERM', () => worker.shutDown());
  process.on('SIGINT', () => worker.shutDown());
  watchSupervisor(worker);
}

function policyFile(): string {
  return process.env.MESOSUP_EXECUTOR_CONFIG || POLICY_FILE;
}

/** The supervisor holds the other end of standard input. When it ends, the executor has ended for Mesos. */
function watchSupervisor(worker: Worker): void {
  if (!fstatSync(0).isFIFO()) return;
  process.stdin.once('end', () => void worker.abandon('the supervisor is gone'));
  process.stdin.resume();
}

/** @param text seconds */
function idleTimeoutMs(text: string | undefined): number {
  const seconds = Number(text ?? IDLE_TIMEOUT_S);
  if (text !== '' && seconds >= 0 && Number.isFinite(seconds)) return seconds * 1000;
  throw new UsageError(`MESOSUP_EXECUTOR_IDLE_TIMEOUT must be a number of seconds, got "${text}"`);
}

/** The installed wrapper sets the directory. Without it, as in the demo, images are not recorded and never removed. */
function imageRecords(): ImageRecords | undefined {
  const directory = process.env.MESOSUP_EXECUTOR_STATE;
  return directory ? new ImageRecords(path.join(directory, 'images'), logToStderr) : undefined;
}

async function janitor(argv: string[]): Promise<void> {
  const { parseArgs } = await import('node:util');
  const options = {
    cluster: { type: 'string' },
    once: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  } as const;
  const { values } = withUsageErrors(() => parseArgs({ args: argv, options }));
  const once = values.once || values['dry-run'];
  do {
    await clean(values.cluster, values['dry-run']);
    await cleanImages(values['dry-run'] ?? false);
    if (!once) await new Promise((resolve) => setTimeout(resolve, JANITOR_EVERY_MS));
  } while (!once);
}

async function clean(cluster: string | undefined, dryRun = false): Promise<void> {
  const { removeOrphans } = await import('./janitor.ts');
  await removeOrphans({ engine: new DockerEngine(), cluster, dryRun, log: logToStderr });
}

async function cleanImages(dryRun: boolean): Promise<void> {
  const records = imageRecords();
  if (!records) return;
  const reading = readPolicy(policyFile());
  if ('problem' in reading) {
    const reason = `${reading.file}: ${reading.problem}`;
    logToStderr({ level: 'error', msg: 'no images are removed', reason });
    return;
  }
  const settings = cleanUpSettings(reading.policy);
  if (!settings) return;
  const { removeUnusedImages } = await import('./image-clean-up.ts');
  await removeUnusedImages({
    engine: new DockerEngine(),
    records,
    settings,
    dryRun,
    now: Date.now(),
    log: logToStderr,
  });
}

/** Converts the TypeErrors of parseArgs. @throws UsageError */
function withUsageErrors<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Reports the error. The supervisor restarts a failed worker, unless the environment or the arguments are wrong. */
function reportFailure(error: unknown): void {
  // The working directory is the sandbox.
  const directories = [process.cwd(), tmpdir()];
  const failure = failureOf(error, { version: RELEASE, command: ['mesosup-executor'], directories });
  logToStderr({ level: 'error', msg: failureText(failure) });
  process.exitCode = failure.exitCode;
}

process.on('uncaughtException', (error) => {
  reportFailure(error);
  process.exit();
});
main().catch(reportFailure);
