/** COMMAND health checks of Docker tasks: the command runs in the task's container. */

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DockerError, DockerUnavailableError } from '../docker/connection.ts';
import type { DockerEngine } from '../docker/engine.ts';
import { argvOf } from '../health/command.ts';
import { type CheckResult, timedOut, timeoutMs } from '../health/health.ts';
import type { HealthCheck } from '../mesos/types.ts';
import type { Log } from './log.ts';

/** How long the engine may take to tell of a command that is to be killed. */
const PATIENCE_MS = 5000;
/** Between looks at a command that has closed its output and runs on. */
const POLL_MS = 100;
/** How many characters of what a command said last go into the log where it failed. */
const TAIL = 200;

export interface CommandCheckOptions {
  engine: DockerEngine;
  /** The container's id. */
  container: string;
  check: HealthCheck;
  /** Breaks the check off, which throws the signal's reason then; the command is left to the container's end. */
  signal: AbortSignal;
  log: Log;
}

/** One run of the check's command. What the engine can't do, or not in time, is `unknown`. */
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
      return { type: isNoFault(error) ? 'unknown' : 'failed', why: (error as Error).message };
    await run.kill();
    if (!run.started) return { type: 'unknown', why: `Docker did not start the command: ${timedOut(limit)}` };
    return { type: 'failed', why: `the command ${timedOut(limit)}` };
  }
}

/** The engine is away, or the container is gone, ended or paused. */
function isNoFault(error: unknown): boolean {
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
    this.#exec = await engine.createExec(container, argvOf(command), env, this.#signal);
    const output = await engine.startExec(this.#exec, this.#signal);
    this.started = true;
    let said = '';
    for await (const { bytes } of output) said = (said + bytes.toString('utf8')).slice(-TAIL);
    const code = await this.#exitCode(this.#exec);
    if (code === 0) return { type: 'passed' };
    const why = `the command exited with status ${code}`;
    return { type: 'failed', why: said.trim() === '' ? why : `${why}: ${said.trim()}` };
  }

  async #exitCode(exec: string): Promise<number> {
    for (;;) {
      const info = await this.#options.engine.inspectExec(exec, this.#signal);
      if (!info.Running && info.ExitCode !== null) return info.ExitCode;
      await sleep(POLL_MS, undefined, { signal: this.#signal });
    }
  }

  /**
   * Kills the command with what it has started: Docker has no call for it, but the kernel has, since the engine is on
   * this machine. The process must be one of the container: where the engine counts processes in another namespace,
   * the number it tells belongs to somebody else.
   */
  async kill(): Promise<void> {
    const { container, engine, log } = this.#options;
    if (this.#exec === undefined) return;
    try {
      const { Pid: pid, Running } = await engine.inspectExec(this.#exec, AbortSignal.timeout(PATIENCE_MS));
      if (!Running || pid === 0) return;
      const cgroups = await readFile(`/proc/${pid}/cgroup`, 'utf8');
      if (!cgroups.includes(container)) throw new Error(`process ${pid} is not in the container`);
      // The engine makes it the leader of a group of its own.
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
      process.kill(group === pid ? -pid : pid, 'SIGKILL');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ESRCH') return;
      log({ level: 'warning', msg: 'a health check’s command was not killed', container, reason: message });
    }
  }
}
