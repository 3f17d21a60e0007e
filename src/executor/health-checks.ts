/** Performs the health checks that the life cycle asks for, and reports back what they found. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { DockerEngine } from '../docker/engine.ts';
import { checkEndpoint } from '../health/endpoint.ts';
import type { CheckResult } from '../health/health.ts';
import { checkCommand } from './command-check.ts';
import type { ExecutorAction, ExecutorInput } from './domain/executor-state.ts';
import type { Log } from './log.ts';

/** How long a published port's connection must hold: see EndpointOptions. */
const HOLD_MS = 250;
/** A container that ends takes its endpoints away a moment before the engine says so. */
const END_LAG_MS = 1000;

type CheckAction = Extract<ExecutorAction, { type: 'check' }>;

export interface HealthChecksOptions {
  engine: DockerEngine;
  /** The address that published ports are bound to; all of the host's where undefined. */
  publishAddress: string | undefined;
  report: (input: ExecutorInput) => void;
  log: Log;
}

export class HealthChecks {
  readonly #options: HealthChecksOptions;
  /** One for each task, waiting or under way. */
  readonly #checks = new Map<string, AbortController>();

  constructor(options: HealthChecksOptions) {
    this.#options = options;
  }

  /** Does one check after its wait. What was asked for that task before is given up. */
  check(action: CheckAction): void {
    const { taskId } = action;
    this.uncheck(taskId);
    const controller = new AbortController();
    this.#checks.set(taskId, controller);
    this.#run(action, controller.signal)
      .catch((error: unknown): CheckResult => ({ type: 'unknown', why: String(error) }))
      .then((result) => {
        if (controller.signal.aborted) return;
        this.#checks.delete(taskId);
        if (result.type !== 'passed') this.#tell(action, result);
        this.#options.report({ type: 'checked', taskId, result });
      });
  }

  /** Gives up a task's check; nothing of it is reported. */
  uncheck(taskId: string): void {
    this.#checks.get(taskId)?.abort();
    this.#checks.delete(taskId);
  }

  close(): void {
    for (const taskId of this.#checks.keys()) this.uncheck(taskId);
  }

  async #run(action: CheckAction, signal: AbortSignal): Promise<CheckResult> {
    const { engine, log, publishAddress } = this.#options;
    const { check, container } = action;
    await sleep(action.afterMs, undefined, { signal });
    const result =
      check.type === 'COMMAND'
        ? await checkCommand({ engine, container, check, signal, log })
        : await checkEndpoint(check, { host: publishAddress, holdMs: HOLD_MS, readsStatuses: true, signal });
    if (result.type !== 'failed' || !(await this.#ends(container, signal))) return result;
    return { type: 'unknown', why: `the container has ended (${result.why})` };
  }

  /** The check of a container that is about to end fails: its end is what counts. */
  async #ends(container: string, signal: AbortSignal): Promise<boolean> {
    const late = new AbortController();
    const either = AbortSignal.any([late.signal, signal]);
    const { exit } = this.#options.engine.waitContainer(container, 'not-running', either);
    try {
      return await Promise.race([
        exit.then(
          () => true,
          () => sleep(END_LAG_MS, false, { signal: either }),
        ),
        sleep(END_LAG_MS, false, { signal: either }),
      ]);
    } finally {
      late.abort();
    }
  }

  #tell(action: CheckAction, { type, why }: Exclude<CheckResult, { type: 'passed' }>): void {
    const msg = type === 'failed' ? 'a health check failed' : 'a health check could not be done';
    this.#options.log({ level: 'warning', msg, task: action.taskId, check: action.check.type, reason: why });
  }
}
