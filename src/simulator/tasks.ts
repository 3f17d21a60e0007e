/** Simulates tasks on their agents: they start, become healthy, fail and end. */

import { isTerminal } from '../mesos/types.ts';
import { hostLikeId } from '../scheduler/domain/app-id.ts';
import type { Agenda } from './agenda.ts';
import type { SimulatedMesos, SimulatedTask } from './mesos.ts';
import type { Random } from './random.ts';
import type { SimulatedApp } from './scenario.ts';

/** Tasks with this label always fail. */
export const BROKEN = 'simulator.broken';
const FAILS_WITHIN_MS = 120_000;
const HEALTHY_WITHIN_MS = 2000;
const EXECUTOR_IDLE_MS = 30_000;

interface World {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly mesos: SimulatedMesos;
}

export class Tasks {
  readonly #world: World;
  readonly #apps: ReadonlyMap<string, SimulatedApp>;
  /** True after the end of the faults: nothing fails any more. */
  calm = false;

  constructor(world: World, apps: readonly SimulatedApp[]) {
    this.#world = world;
    this.#apps = new Map(apps.map((one) => [hostLikeId(one.app.id), one]));
  }

  /** Handles a task or a kill that has arrived at the agent. */
  take(task: SimulatedTask): void {
    const { agenda, random } = this.#world;
    const app = this.#apps.get(task.info.name);
    if (!app) throw new Error(`unknown app ${task.info.name}`);
    if (task.killed) {
      agenda.after(random.within(app.stop) * 1000, () => this.#end(task, 'TASK_KILLED'));
      return;
    }
    const broken = task.info.labels?.labels.some(({ key }) => key === BROKEN) ?? false;
    const fails = broken || random.chance(app.failureRate);
    const atOnce = broken || random.chance(0.5);
    if (random.chance(0.3))
      agenda.after(random.fraction() * 100, () => this.#setState(task, 'TASK_STARTING'));
    agenda.after(random.within(app.start) * 1000, () => {
      if (fails && atOnce && !this.calm) this.#end(task, 'TASK_FAILED');
      else this.#run(task, app, fails);
    });
  }

  /** Handles an idle executor. */
  idle(agentId: string, executorId: string): void {
    const { agenda, mesos } = this.#world;
    agenda.after(EXECUTOR_IDLE_MS, () => mesos.endExecutor(agentId, executorId));
  }

  #run(task: SimulatedTask, app: SimulatedApp, fails: boolean): void {
    const { agenda, random } = this.#world;
    this.#setState(task, 'TASK_RUNNING');
    if (app.app.healthChecks.length > 0) {
      agenda.after(random.fraction() * HEALTHY_WITHIN_MS, () => this.#health(task, app, true));
    }
    if (fails) {
      agenda.after(random.fraction() * FAILS_WITHIN_MS, () => {
        if (!this.calm) this.#end(task, 'TASK_FAILED');
      });
    }
    if (app.run) {
      agenda.after(random.within(app.run) * 1000, () => {
        if (!this.calm || app.app.mode === 'job') this.#end(task, 'TASK_FINISHED');
      });
    }
  }

  #health(task: SimulatedTask, app: SimulatedApp, healthy: boolean): void {
    if (task.state !== 'TASK_RUNNING') return;
    this.#world.mesos.advance(idOf(task), 'TASK_RUNNING', { healthy });
    if (app.unwellPerMinute === 0 || (healthy && this.calm)) return;
    const { agenda, random } = this.#world;
    // An unhealthy phase is shorter than a healthy one.
    agenda.after(random.wait(app.unwellPerMinute) / (healthy ? 1 : 4), () => {
      if (!this.calm || !healthy) this.#health(task, app, !healthy);
    });
  }

  #setState(task: SimulatedTask, state: 'TASK_STARTING' | 'TASK_RUNNING'): void {
    const over = isTerminal(task.state) || task.state === 'TASK_RUNNING';
    if (!over && this.#exists(task)) this.#world.mesos.advance(idOf(task), state);
  }

  #end(task: SimulatedTask, state: 'TASK_FAILED' | 'TASK_FINISHED' | 'TASK_KILLED'): void {
    if (!this.#exists(task)) return;
    this.#world.mesos.advance(idOf(task), state, state === 'TASK_FAILED' ? { message: 'it failed' } : {});
  }

  #exists(task: SimulatedTask): boolean {
    return this.#world.mesos.tasks.get(idOf(task)) === task;
  }
}

function idOf(task: SimulatedTask): string {
  return task.info.task_id.value;
}
