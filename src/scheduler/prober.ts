/** Runs the health and readiness checks that the scheduler itself makes, and reports the results that count. */

import { setTimeout as sleep } from 'node:timers/promises';
import { checkEndpoint, PROXY_HOLD_MS } from '../health/endpoint.ts';
import {
  afterCheck,
  type CheckResult,
  firstCheckMs,
  type Health,
  initialHealth,
  intervalMs,
} from '../health/health.ts';
import type { HealthCheck } from '../mesos/types.ts';
import type { Input } from './decide/inputs.ts';
import { needsAddress, type Probe, probesOf } from './domain/checks.ts';
import type { StateEvent } from './domain/events.ts';
import { launchedApp, ownerOf, type State } from './domain/state.ts';
import { isEnding, type Task } from './domain/task.ts';

/** Starts the probes of a task; without probes, ends them. */
export interface ProbeNotice {
  readonly probing: string;
  readonly probes: readonly Probe[];
}

/**
 * Derives from an event which probes of a task start or end.
 * @param state the state before the event
 */
export function probeNotice(state: State, event: StateEvent): ProbeNotice | undefined {
  if (event.type === 'task_killed' || event.type === 'task_draining')
    return { probing: event.taskId, probes: [] };
  if (event.type !== 'task_updated' && event.type !== 'task_addressed') return undefined;
  const task = state.tasks.get(event.taskId);
  if (!task?.probes) return undefined;
  if (event.type === 'task_addressed') {
    const addressed = { ...task, addresses: event.addresses };
    return isProbed(task) && isAtOwnAddress(state, task) ? noticeOf(state, addressed) : undefined;
  }
  if (event.state === task.state) return undefined;
  return event.state === 'TASK_RUNNING' ? noticeOf(state, task) : { probing: task.id, probes: [] };
}

/** Lists the probes of all running tasks, for a scheduler that starts. */
export function* probeNotices(state: State): Generator<ProbeNotice> {
  for (const task of state.tasks.values()) {
    const notice = isProbed(task) && task.probes ? noticeOf(state, task) : undefined;
    if (notice) yield notice;
  }
}

function isProbed(task: Task): boolean {
  return task.state === 'TASK_RUNNING' && !isEnding(task);
}

function isAtOwnAddress(state: State, task: Task): boolean {
  const record = ownerOf(state, task);
  return record !== undefined && needsAddress(launchedApp(record, task));
}

/** After a restart of the scheduler, probes of a container's own address wait until Mesos has reported it again. */
function noticeOf(state: State, task: Task): ProbeNotice | undefined {
  const record = ownerOf(state, task);
  if (!record) return undefined;
  const app = launchedApp(record, task);
  if (task.addresses === undefined && needsAddress(app)) return undefined;
  return { probing: task.id, probes: probesOf(app, task) };
}

type Probed = Extract<Input, { type: 'probed' }>;

/**
 * As in Marathon, a check of the scheduler kills with the failure after the allowed ones, and never with a limit of 0; one
 * of an executor does with the last allowed failure. Source: HealthCheckActor of Marathon 1.11.
 */
function isExhausted({ failures }: Health, { consecutive_failures: limit = 0 }: HealthCheck): boolean {
  return limit > 0 && failures > limit;
}

export class Prober {
  readonly #report: (input: Probed) => void;
  readonly #running = new Map<string, AbortController>();

  constructor(report: (input: Probed) => void) {
    this.#report = report;
  }

  take({ probing, probes }: ProbeNotice): void {
    this.#running.get(probing)?.abort();
    this.#running.delete(probing);
    if (probes.length === 0) return;
    const controller = new AbortController();
    this.#running.set(probing, controller);
    for (const [i, probe] of probes.entries()) {
      this.#repeat(probing, i, probe, controller.signal).catch((error: unknown) => {
        if (!controller.signal.aborted) throw error;
      });
    }
  }

  stop(): void {
    for (const controller of this.#running.values()) controller.abort();
    this.#running.clear();
  }

  async #repeat(taskId: string, probe: number, made: Probe, signal: AbortSignal): Promise<void> {
    const { check, host, published, once, keepsResponse = false } = made;
    let health = initialHealth(Date.now());
    await sleep(firstCheckMs(health, check, Date.now()), undefined, { signal });
    for (;;) {
      const result: CheckResult =
        host === undefined
          ? { type: 'failed', why: 'the container has no address' }
          : await checkEndpoint(check, {
              host,
              readsStatuses: once,
              keepsResponse,
              holdMs: published ? PROXY_HOLD_MS : 0,
              signal,
            });
      const before = health;
      health = afterCheck(health, check, result, Date.now());
      const exhausted = !once && isExhausted(health, check);
      // Every result of a readiness check counts: it has no grace period.
      if (result.type === 'passed' || (result.type === 'failed' && (once || health !== before))) {
        const { response } = result;
        const failed = result.type === 'failed' ? { why: result.why } : undefined;
        const times = `${health.failures} times in a row`;
        this.#report({
          type: 'probed',
          taskId,
          probe,
          healthy: !failed,
          ...failed,
          ...(response && { response }),
          ...(exhausted && failed && { giveUp: `its health check failed ${times}: ${failed.why}` }),
        });
      }
      if (exhausted || (once && health.healthy)) return;
      await sleep(intervalMs(check), undefined, { signal });
    }
  }
}
