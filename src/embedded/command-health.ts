/**
 * Runs health checks of a command task, like Mesos' command executor: commands run beside the task; HTTP and TCP checks
 * connect to this machine's loopback address.
 */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkEndpoint } from '../health/endpoint.ts';
import {
  afterCheck,
  type CheckResult,
  firstCheckMs,
  initialHealth,
  intervalMs,
  mustBeKilled,
  timeoutMs,
  timeoutText,
} from '../health/health.ts';
import type { CommandInfo, HealthCheck } from '../mesos/types.ts';
import { describeExit } from './wire/exit-text.ts';

/** Number of characters at the end of a failed command's output that are reported. */
const TAIL_LENGTH = 200;
/** Time that the output may lag behind the command's end. */
const DRAIN_MS = 100;

export interface CommandHealthOptions {
  check: HealthCheck;
  /** Starts a check's command in a new session, with its output in pipes. */
  start: (command: CommandInfo) => ChildProcess;
  /** Called at each failure that counts, and at the first success after it or after the start. */
  onResult: (healthy: boolean) => void;
  /** Called after too many failures in a row. No more checks follow. */
  onKill: () => void;
  /** Called with a line for each failed check. */
  log: (line: string) => void;
}

export interface CommandHealth {
  stop(): void;
}

/** Starts the health checks of a task that has just started. */
export function watchHealth(options: CommandHealthOptions): CommandHealth {
  const controller = new AbortController();
  watch(options, controller.signal).catch((error: unknown) => {
    if (!controller.signal.aborted) throw error;
  });
  return { stop: () => controller.abort() };
}

async function watch(options: CommandHealthOptions, signal: AbortSignal): Promise<void> {
  const { check, log, onResult, onKill } = options;
  let health = initialHealth(Date.now());
  await sleep(firstCheckMs(health, check, Date.now()), undefined, { signal });
  for (;;) {
    const result = await runCheck(options, signal);
    if (result.type !== 'passed') log(`${check.type} health check failed: ${result.why}`);
    const before = health;
    health = afterCheck(before, check, result, Date.now());
    if (health !== before && health.healthy !== undefined) onResult(health.healthy);
    if (mustBeKilled(health, check)) {
      log(`Killing the task: ${check.type} health check failed ${health.failures} times in a row`);
      onKill();
      return;
    }
    await sleep(intervalMs(check), undefined, { signal });
  }
}

async function runCheck({ check, start }: CommandHealthOptions, signal: AbortSignal): Promise<CheckResult> {
  if (check.type !== 'COMMAND') return await checkEndpoint(check, { signal });
  const limit = timeoutMs(check);
  const timeout = limit === undefined ? undefined : AbortSignal.timeout(limit);
  try {
    const child = start(check.command ?? {});
    return await resultOf(child, timeout ? AbortSignal.any([timeout, signal]) : signal);
  } catch (error) {
    signal.throwIfAborted();
    const why = timeout?.aborted ? `the command ${timeoutText(limit)}` : (error as Error).message;
    return { type: 'failed', why };
  }
}

/** Waits for the command's result, and kills its child processes. */
async function resultOf(child: ChildProcess, signal: AbortSignal): Promise<CheckResult> {
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      tail = (tail + chunk.toString('utf8')).slice(-TAIL_LENGTH);
    });
  }
  const drained = new Promise((resolve) => child.once('close', resolve));
  try {
    const [code, killSignal] = await once(child, 'exit', { signal });
    if (code === 0) return { type: 'passed' };
    killGroup(child);
    await Promise.race([drained, sleep(DRAIN_MS, undefined, { signal })]);
    const why = `the command ${describeExit(code, killSignal)}`;
    return { type: 'failed', why: tail.trim() === '' ? why : `${why}: ${tail.trim()}` };
  } finally {
    killGroup(child);
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // No process is left.
  }
}
