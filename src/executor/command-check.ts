/** Runs COMMAND health checks of Docker tasks. The command runs in the task's container. */

import { setTimeout as sleep } from 'node:timers/promises';
import { DockerError, DockerUnavailableError } from '../docker/connection.ts';
import type { DockerEngine } from '../docker/engine.ts';
import { commandArgv } from '../health/command.ts';
import { type CheckResult, timeoutMs, timeoutText } from '../health/health.ts';
import type { HealthCheck } from '../mesos/types.ts';
import { findExecProcess, killGroup } from './exec-process.ts';
import type { Log } from './log.ts';

/** Poll interval for a command that has closed its output but still runs. */
const POLL_MS = 100;
/** Number of characters at the end of a failed command's output that are logged. */
const TAIL_LENGTH = 200;

export interface CommandCheckOptions {
  engine: DockerEngine;
  /** The container's id. */
  container: string;
  check: HealthCheck;
  /** Aborts the check, which then throws the signal's reason. The command runs until the container ends. */
  signal: AbortSignal;
  log: Log;
}

/** Runs the check's command once. The result is `unknown` if Docker can't run the command, or not in time. */
export async function checkCommand(options: CommandCheckOptions): Promise<CheckResult> {
  const { check } = options;
  const limit = timeoutMs(check);
  const timeout = limit === undefined ? undefined : AbortSignal.timeout(limit);
  const run = new Run(options, timeout ? AbortSignal.any([timeout, options.signal]) : options.signal);
  try {
    return await run.result();
  } catch (error) {
    options.signal.throwIfAborted();
    if (!timeout?.aborted)
      return { type: isInconclusive(error) ? 'unknown' : 'failed', why: (error as Error).message };
    await run.kill();
    if (!run.started)
      return { type: 'unknown', why: `Docker did not start the command: ${timeoutText(limit)}` };
    return { type: 'failed', why: `the command ${timeoutText(limit)}` };
  }
}

/** True if Docker is unreachable, or the container is gone, ended or paused. */
function isInconclusive(error: unknown): boolean {
  if (error instanceof DockerError) return error.status === 404 || error.status === 409;
  return error instanceof DockerUnavailableError;
}

class Run {
  started = false;
  readonly #options: CommandCheckOptions;
  readonly #signal: AbortSignal;
  #exec: string | undefined;

  constructor(options: CommandCheckOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async result(): Promise<CheckResult> {
    const { check, container, engine } = this.#options;
    const { command = {} } = check;
    const env = (command.environment?.variables ?? []).map(({ name, value = '' }) => `${name}=${value}`);
    this.#exec = await engine.createExec(container, commandArgv(command), env, this.#signal);
    const output = await engine.startExec(this.#exec, this.#signal);
    this.started = true;
    let tail = '';
    for await (const { bytes } of output) tail = (tail + bytes.toString('utf8')).slice(-TAIL_LENGTH);
    const code = await this.#exitCode(this.#exec);
    if (code === 0) return { type: 'passed' };
    const why = `the command exited with status ${code}`;
    return { type: 'failed', why: tail.trim() === '' ? why : `${why}: ${tail.trim()}` };
  }

  async #exitCode(exec: string): Promise<number> {
    for (;;) {
      const info = await this.#options.engine.inspectExec(exec, this.#signal);
      if (!info.Running && info.ExitCode !== null) return info.ExitCode;
      await sleep(POLL_MS, undefined, { signal: this.#signal });
    }
  }

  /** Kills the command and its child processes. */
  async kill(): Promise<void> {
    const { container, engine, log } = this.#options;
    if (this.#exec === undefined) return;
    try {
      const pid = await findExecProcess(engine, this.#exec, container);
      if (pid !== undefined) await killGroup(pid);
    } catch (error) {
      const reason = (error as Error).message;
      log({ level: 'warning', msg: 'cannot kill the command of a health check', container, reason });
    }
  }
}
