/**
 * The program that the executor's supervisor starts. Under a Mesos agent it is the worker. Started by hand or by a
 * timer as `janitor`, it cleans up (janitor-command.ts). The worker starts it as `check-endpoint` (container-endpoint.ts).
 * This file imports only what SUBSCRIBE needs: the first task on
 * an agent waits for the answer, and loading the rest takes longer than bare Node's start.
 */

import { fstatSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { failureOf } from '../errors/defect-report.ts';
import { failureText } from '../errors/failure.ts';
import { UsageError } from '../errors/mesosup-error.ts';
import { readExecutorEnvironment } from '../mesos/executor-environment.ts';
import { keepCompiledCode } from '../proc/compiled-code.ts';
import { RELEASE } from '../release.ts';
import { AgentConnection } from './agent-connection.ts';
import { listUnacknowledged } from './domain/tasks.ts';
import { logToStderr } from './log.ts';
import { renewToken } from './renew-token.ts';
import { readServiceTls, serviceTransport, TLS_FILE } from './service-tls.ts';
import { TaskStore } from './task-store.ts';
import type { Worker, WorkerOptions } from './worker.ts';

const IDLE_TIMEOUT_S = 60;
const POLICY_FILE = '/etc/mesosup/executor.json';
/** Where the installer puts the key with which the agent signs tokens. */
const KEY_FILE = '/etc/mesosup/executor-key';

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  // A task of the 2013 form may have an image named "janitor".
  const byMesos = process.env.MESOS_EXECUTOR_ID !== undefined;
  if (byMesos) return await work(argv);
  if (argv[0] === 'check-endpoint') return (await import('./container-endpoint.ts')).checkFromInput();
  if (argv[0] !== 'janitor') return await work(argv);
  const { janitor } = await import('./janitor-command.ts');
  await janitor(argv.slice(1), { policyFile: policyFile(), stateDirectory: stateDirectory() });
}

async function work(argv: string[]): Promise<void> {
  const environment = readExecutorEnvironment(process.env);
  delete process.env.MESOS_EXECUTOR_AUTHENTICATION_TOKEN;
  // Node has read it. It is for this program, and not for tasks.
  delete process.env.NODE_COMPILE_CACHE;
  keepCompiledCode();
  const log = logToStderr;
  const store = new TaskStore(path.join(environment.directory, 'state'));
  const unacknowledged = listUnacknowledged({ tasks: store.load(log) });
  const keyFile = process.env.MESOSUP_EXECUTOR_KEY_FILE || KEY_FILE;
  const tlsFile = process.env.MESOSUP_EXECUTOR_TLS_FILE || TLS_FILE;
  const own = { argv, env: { ...process.env } };
  const serviceTls = () => readServiceTls(tlsFile, own.env);
  const agent = new AgentConnection({
    environment,
    transport: serviceTransport(serviceTls, log),
    unacknowledged,
    renewToken: (token) => renewToken(token, keyFile),
    log,
  });
  agent.start();
  const worker = loadWorker({
    environment,
    agent,
    store,
    own,
    publishAddress: process.env.MESOSUP_PUBLISH_ADDRESS || undefined,
    policyFile: policyFile(),
    stateDirectory: stateDirectory(),
    schedulersFile: process.env.MESOSUP_SCHEDULERS_FILE,
    serviceTls,
    idleTimeoutMs: idleTimeoutMs(process.env.MESOSUP_EXECUTOR_IDLE_TIMEOUT),
    log,
    onFinished: () => process.exit(0),
  });
  process.on('SIGTERM', () => void worker.then((started) => started.shutDown()));
  process.on('SIGINT', () => void worker.then((started) => started.shutDown()));
  watchSupervisor(await worker);
}

/** Loads the code for tasks when SUBSCRIBE was written, which the event loop's first round does. */
async function loadWorker(options: WorkerOptions): Promise<Worker> {
  await new Promise(setImmediate);
  const { startWorker } = await import('./worker.ts');
  return startWorker(options);
}

function policyFile(): string {
  return process.env.MESOSUP_EXECUTOR_CONFIG || POLICY_FILE;
}

function stateDirectory(): string | undefined {
  return process.env.MESOSUP_EXECUTOR_STATE || undefined;
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

/** Reports the error. The supervisor restarts a failed worker, unless the environment or the arguments are wrong. */
function fail(error: unknown): never {
  // The working directory is the sandbox.
  const directories = [process.cwd(), tmpdir()];
  const failure = failureOf(error, { version: RELEASE, command: ['mesosup-executor'], directories });
  logToStderr({ level: 'error', msg: failureText(failure) });
  process.exit(failure.exitCode);
}

process.on('uncaughtException', fail);
main().catch(fail);
