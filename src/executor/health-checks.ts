/** Runs the health checks that the life cycle requests and reports their results. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { DockerEngine } from '../docker/engine.ts';
import type { CheckResult } from '../health/health.ts';
import { checkCommand } from './command-check.ts';
import { checkAt, findPlace, type Place, portOf } from './container-endpoint.ts';
import type { ExecutorAction, ExecutorInput } from './domain/executor-state.ts';
import type { Log } from './log.ts';

/** A container's endpoints stop shortly before Docker reports its end. */
const END_LAG_MS = 1000;

type CheckAction = Extract<ExecutorAction, { type: 'check' }>;

export interface HealthChecksOptions {
  engine: DockerEngine;
  /** The address that published ports are bound to; undefined for all addresses of the host. */
  publishAddress: string | undefined;
  report: (input: ExecutorInput) => void;
  log: Log;
}

export class HealthChecks {
  readonly #options: HealthChecksOptions;
  /** Pending and running checks, by task id. */
  readonly #checks = new Map<string, AbortController>();
  /** Where ports were found that are not published, by task id: so checks go on while Docker does not answer. */
  readonly #places = new Map<string, Place>();

  constructor(options: HealthChecksOptions) {
    this.#options = options;
  }

  /** Runs one check after its wait. Cancels an earlier check of the same task. */
  check(action: CheckAction): void {
    const { taskId } = action;
    this.#checks.get(taskId)?.abort();
    const controller = new AbortController();
    this.#checks.set(taskId, controller);
    this.#run(action, controller.signal)
      .catch((error: unknown): CheckResult => ({ type: 'unknown', why: String(error) }))
      .then((result) => {
        if (controller.signal.aborted) return;
        this.#checks.delete(taskId);
        if (result.type !== 'passed') {
          this.#logResult(action, result);
          this.#places.delete(taskId);
        }
        this.#options.report({ type: 'checked', taskId, result });
      });
  }

  /** Cancels a task's check without a report. */
  uncheck(taskId: string): void {
    this.#checks.get(taskId)?.abort();
    this.#checks.delete(taskId);
    this.#places.delete(taskId);
  }

  close(): void {
    for (const taskId of this.#checks.keys()) this.uncheck(taskId);
  }

  async #run(action: CheckAction, signal: AbortSignal): Promise<CheckResult> {
    const { engine, log, publishAddress } = this.#options;
    const { check, container } = action;
    await sleep(action.afterMs, undefined, { signal });
    let result: CheckResult;
    if (check.type === 'COMMAND') {
      result = await checkCommand({ engine, container, check, signal, log });
    } else {
      const place = await this.#placeOf(action);
      signal.throwIfAborted();
      if (!place) return { type: 'unknown', why: 'the container does not run' };
      result = await checkAt(place, { check, publishAddress, signal });
    }
    if (result.type !== 'failed' || !(await this.#endsSoon(container, signal))) return result;
    return { type: 'unknown', why: `the container has ended (${result.why})` };
  }

  async #placeOf({ taskId, container, check, hostPorts }: CheckAction): Promise<Place | undefined> {
    if (hostPorts.includes(portOf(check))) return { type: 'host' };
    const known = this.#places.get(taskId);
    if (known) return known;
    const found = await findPlace(this.#options.engine, container, check);
    if (found) this.#places.set(taskId, found);
    return found;
  }

  /** True if the container ends within END_LAG_MS: its check fails then, but only its end counts. */
  async #endsSoon(container: string, signal: AbortSignal): Promise<boolean> {
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

  #logResult(action: CheckAction, { type, why }: Exclude<CheckResult, { type: 'passed' }>): void {
    const msg = type === 'failed' ? 'a health check failed' : 'a health check could not run';
    this.#options.log({ level: 'warning', msg, task: action.taskId, check: action.check.type, reason: why });
  }
}
