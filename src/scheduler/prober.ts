/** Runs the health and readiness checks that the scheduler itself makes, and reports changed results. */

import { setTimeout as sleep } from 'node:timers/promises';
import { checkEndpoint } from '../health/endpoint.ts';
import { afterCheck, firstCheckMs, initialHealth, intervalMs, mustBeKilled } from '../health/health.ts';
import type { Input } from './decide/inputs.ts';
import { type Probe, probesOf } from './domain/checks.ts';
import type { StateEvent } from './domain/events.ts';
import { ownerOf, type State } from './domain/state.ts';
import { isEnding, type Task } from './domain/task.ts';

/** Starts the probes of a task; without probes, ends them. */
export interface ProbeNotice {
  readonly probing: string;
  readonly host: string;
  readonly probes: readonly Probe[];
}

/**
 * Derives from an event which probes of a task start or end.
 * @param state the state before the event
 */
export function probeNotice(state: State, event: StateEvent): ProbeNotice | undefined {
  if (event.type === 'task_killed' || event.type === 'task_draining')
    return { probing: event.taskId, host: '', probes: [] };
  if (event.type !== 'task_updated') return undefined;
  const task = state.tasks.get(event.taskId);
  if (!task?.probes || event.state === task.state) return undefined;
  if (event.state !== 'TASK_RUNNING') return { probing: task.id, host: '', probes: [] };
  return noticeOf(state, task);
}

/** Lists the probes of all running tasks, for a scheduler that starts. */
export function* probeNotices(state: State): Generator<ProbeNotice> {
  for (const task of state.tasks.values()) {
    const runs = task.state === 'TASK_RUNNING' && !isEnding(task);
    const notice = runs && task.probes ? noticeOf(state, task) : undefined;
    if (notice) yield notice;
  }
}

function noticeOf(state: State, task: Task): ProbeNotice | undefined {
  const app = ownerOf(state, task)?.versions.findLast(
    ({ configVersion }) => configVersion === task.configVersion,
  );
  return app && { probing: task.id, host: task.host, probes: probesOf(app, task.ports) };
}

type Probed = Extract<Input, { type: 'probed' }>;

export class Prober {
  readonly #report: (input: Probed) => void;
  readonly #running = new Map<string, AbortController>();

  constructor(report: (input: Probed) => void) {
    this.#report = report;
  }

  take({ probing, host, probes }: ProbeNotice): void {
    this.#running.get(probing)?.abort();
    this.#running.delete(probing);
    if (probes.length === 0) return;
    const controller = new AbortController();
    this.#running.set(probing, controller);
    for (const [i, probe] of probes.entries()) {
      this.#repeat(probing, host, i, probe, controller.signal).catch((error: unknown) => {
        if (!controller.signal.aborted) throw error;
      });
    }
  }

  stop(): void {
    for (const controller of this.#running.values()) controller.abort();
    this.#running.clear();
  }

  async #repeat(
    taskId: string,
    host: string,
    i: number,
    { check, once }: Probe,
    signal: AbortSignal,
  ): Promise<void> {
    let health = initialHealth(Date.now());
    await sleep(firstCheckMs(health, check, Date.now()), undefined, { signal });
    for (;;) {
      const result = await checkEndpoint(check, { host, readsStatuses: once, signal });
      const before = health;
      health = afterCheck(health, check, result, Date.now());
      const exhausted = !once && mustBeKilled(health, check);
      if (health.healthy !== undefined && (health.healthy !== before.healthy || exhausted)) {
        const why = result.type === 'passed' ? '' : result.why;
        this.#report({
          type: 'probed',
          taskId,
          probe: i,
          healthy: health.healthy,
          ...(exhausted && { giveUp: `its health check failed ${health.failures} times in a row: ${why}` }),
        });
      }
      if (exhausted || (once && health.healthy)) return;
      await sleep(intervalMs(check), undefined, { signal });
    }
  }
}
