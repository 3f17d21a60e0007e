/**
 * The life cycle of tasks: (state, input) → (state, actions). Pure: the worker stores the new state before it performs
 * the actions.
 */

import {
  afterCheck,
  type CheckResult,
  firstCheckMs,
  initialHealth,
  intervalMs,
  mustBeKilled,
} from '../../health/health.ts';
import type { NetworkInfo, TaskInfo } from '../../mesos/types.ts';
import type {
  Constants,
  ContainerExit,
  ExecutorAction,
  ExecutorInput,
  FoundContainer,
  Stamp,
  State,
  Task,
} from './executor-state.ts';
import { admittedPlan, type PolicyReading } from './policy.ts';
import { type ContainerPlan, hostPortsOf, planTask, TaskInvalidError } from './task-plan.ts';
import { exitOutcome, invalidOutcome, killedOutcome, makeUpdate, type Outcome } from './task-status.ts';
import { killGraceMs, launchedTask, unknownTask, withoutData } from './tasks.ts';

/** Part of the shutdown grace period that is reserved for removing containers and sending updates. */
const SHUTDOWN_SLACK_MS = 1000;
/** Repeated failures of a check are not reported while so many updates of the task are unacknowledged. */
const MAX_WAITING_UPDATES = 100;
const KILLED_BEFORE_CREATE: Outcome = {
  state: 'TASK_KILLED',
  message: 'Killed before its container was created',
};
const KILLED_BEFORE_START: Outcome = {
  state: 'TASK_KILLED',
  message: 'Killed before its container was started',
};

export interface Decision {
  state: State;
  actions: ExecutorAction[];
}

export function decide(state: State, input: ExecutorInput, constants: Constants, stamp: Stamp): Decision {
  const cycle = new Cycle(state, constants, stamp);
  cycle.take(input);
  return cycle.decision();
}

/** True if no task runs and no update is unacknowledged. */
export function isIdle(state: State): boolean {
  return state.tasks.size === 0;
}

/** True if no container is left. Updates may still be unacknowledged. */
export function isEmptied(state: State): boolean {
  return [...state.tasks.values()].every((t) => t.phase === 'ended' && t.container === undefined);
}

class Cycle {
  readonly #constants: Constants;
  readonly #stamp: Stamp;
  readonly #actions: ExecutorAction[] = [];
  #state: State;

  constructor(state: State, constants: Constants, stamp: Stamp) {
    this.#state = state;
    this.#constants = constants;
    this.#stamp = stamp;
  }

  decision(): Decision {
    if (this.#state.leaving && isIdle(this.#state)) this.#actions.push({ type: 'exit' });
    return { state: this.#state, actions: this.#actions };
  }

  take(input: ExecutorInput): void {
    if ('taskId' in input) {
      // An input for an unknown task comes too late: the task has ended and was deleted.
      const task = this.#state.tasks.get(input.taskId);
      if (task) this.#takeFor(task, input);
    } else if (input.type === 'subscribed') {
      this.#state = { ...this.#state, supportsKilling: input.capabilities.includes('TASK_KILLING_STATE') };
    } else if (input.type === 'launch') {
      this.#launch(input.task, input.policy);
    } else if (input.type === 'recovered') {
      this.#recover(input.containers);
    } else {
      this.#shutDown();
    }
  }

  #takeFor(task: Task, input: Extract<ExecutorInput, { taskId: string }>): void {
    switch (input.type) {
      case 'kill':
        this.#kill(task, input.graceMs ?? killGraceMs(task));
        break;
      case 'acknowledged':
        this.#acknowledged(task, input.uuid);
        break;
      case 'refused':
        this.#refused(task, input.uuid);
        break;
      case 'pulling':
        this.#pulling(task, input.message);
        break;
      case 'image-ready':
        this.#imageReady(task, input.exposed);
        break;
      case 'created':
        this.#created(task, input.container, input.output);
        break;
      case 'running':
        this.#running(task, input.networks);
        break;
      case 'checked':
        this.#checked(task, input.result);
        break;
      case 'exited':
        this.#exited(task, input.exit);
        break;
      case 'failed':
        this.#failed(task, input.message, input.invalid);
        break;
      case 'removed':
        this.#put({ ...task, container: undefined });
        break;
    }
  }

  #launch(info: TaskInfo, policy: PolicyReading): void {
    const id = info.task_id.value;
    if (this.#state.tasks.has(id)) return;
    const launched = launchedTask(info, this.#constants.own.argv.length > 0);
    if (this.#state.leaving) {
      this.#end(launched, {
        state: 'TASK_FAILED',
        reason: 'REASON_EXECUTOR_TERMINATED',
        message: 'The executor is exiting. Launch the task again',
      });
      return;
    }
    const plan = this.#planOrEnd(launched, policy);
    if (!plan) return;
    if (plan.single && this.#state.tasks.size > 0) {
      this.#end(
        { ...launched, single: false },
        {
          state: 'TASK_ERROR',
          reason: 'REASON_TASK_INVALID',
          message:
            'This executor runs only one task and already has one. Use a separate executor id for each task',
        },
      );
      return;
    }
    this.#update({ ...launched, single: plan.single }, { state: 'TASK_STARTING' });
    this.#actions.push(prepare(id, plan));
  }

  /** Skips the progress while an update is unacknowledged, so that updates of a long pull do not pile up. */
  #pulling(task: Task, message: string): void {
    if (task.phase !== 'preparing' || task.updates.length > 0) return;
    this.#update(task, { state: 'TASK_STARTING', message });
  }

  #imageReady(task: Task, exposed: readonly string[]): void {
    if (task.phase !== 'preparing') return;
    const plan = this.#planOrEnd(task);
    if (!plan) return;
    this.#put({ ...task, phase: 'creating' });
    this.#actions.push({ type: 'create', taskId: task.id, plan, exposed });
  }

  #created(task: Task, container: string, output: Task['output']): void {
    const created = { ...task, container, output, info: withoutData(task.info) };
    if (task.phase === 'ended') {
      this.#put(created);
      this.#actions.push({ type: 'remove', taskId: task.id, container });
    } else if (task.kill) {
      this.#end(created, KILLED_BEFORE_START);
    } else {
      this.#put({ ...created, phase: 'starting' });
      this.#actions.push({ type: 'start', taskId: task.id, container, output });
    }
  }

  #running(task: Task, networks: readonly NetworkInfo[]): void {
    if (task.container === undefined) return;
    if (task.phase === 'running') {
      // An adopted container: the file of a task has only its addresses.
      this.#put({ ...task, networks });
      this.#check(task, 'first');
      return;
    }
    if (task.phase !== 'starting') return;
    const health = task.info?.health_check && initialHealth(this.#stamp.now);
    const running: Task = { ...task, phase: 'running', networks, health };
    if (task.kill) {
      this.#put(running);
      this.#stop(running, task.kill.deadline);
    } else {
      this.#update(running, { state: 'TASK_RUNNING' });
      this.#check(running, 'first');
    }
  }

  #check(task: Task, which: 'first' | 'next'): void {
    const { id: taskId, container, health, kill } = task;
    const { info } = task;
    const check = info?.health_check;
    if (!check || !health || kill || container === undefined) return;
    const afterMs = which === 'first' ? firstCheckMs(health, check, this.#stamp.now) : intervalMs(check);
    this.#actions.push({ type: 'check', taskId, container, check, hostPorts: hostPortsOf(info), afterMs });
  }

  #checked(task: Task, result: CheckResult): void {
    const check = task.info?.health_check;
    if (task.phase !== 'running' || task.kill || !task.health || !check) return;
    const health = afterCheck(task.health, check, result, this.#stamp.now);
    const checked = health === task.health ? task : { ...task, health };
    const { healthy } = health;
    const why = result.type === 'passed' ? undefined : `${check.type} health check failed: ${result.why}`;
    const isRepeated = healthy === false && task.health.healthy === false;
    // As Mesos does, each failure that counts is reported, so that the framework can count them too.
    const isReported = checked !== task && !(isRepeated && task.updates.length >= MAX_WAITING_UPDATES);
    if (isReported && healthy !== undefined) {
      const reason = 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED';
      this.#update(checked, {
        state: 'TASK_RUNNING',
        reason,
        healthy,
        ...(why !== undefined && { message: why }),
      });
    } else if (checked !== task) {
      this.#put(checked);
    }
    if (mustBeKilled(health, check)) {
      const times = health.failures === 1 ? 'once' : `${health.failures} times in a row`;
      this.#kill(this.#state.tasks.get(task.id) ?? checked, killGraceMs(task), `${why} (${times})`);
    } else {
      this.#check(checked, 'next');
    }
  }

  #exited(task: Task, exit: ContainerExit): void {
    if (task.phase !== 'ended') this.#end(task, exitOutcome(task, exit));
  }

  #failed(task: Task, message: string, invalid = false): void {
    if (task.phase === 'ended') return;
    if (task.kill) this.#end(task, killedOutcome(task.kill, message));
    else if (invalid) this.#end(task, invalidOutcome(message));
    else this.#end(task, { state: 'TASK_FAILED', reason: 'REASON_CONTAINER_LAUNCH_FAILED', message });
  }

  /**
   * @param graceMs from SIGTERM to SIGKILL; ignored if it ends later than the deadline of an earlier kill
   * @param unhealthy the reason, if the task is killed for its health
   */
  #kill(task: Task, graceMs: number, unhealthy?: string): void {
    const deadline = this.#stamp.now + graceMs;
    if (task.phase === 'ended' || (task.kill && task.kill.deadline <= deadline)) return;
    const killed: Task = {
      ...task,
      kill: { ...task.kill, deadline, ...(unhealthy !== undefined && { unhealthy }) },
    };
    if (task.health && !task.kill) this.#actions.push({ type: 'uncheck', taskId: task.id });
    if (task.phase === 'preparing') {
      this.#actions.push({ type: 'abandon', taskId: task.id });
      this.#end(killed, KILLED_BEFORE_CREATE);
      return;
    }
    if (!task.kill && this.#state.supportsKilling) this.#update(killed, { state: 'TASK_KILLING' });
    else this.#put(killed);
    if (task.phase === 'running') this.#stop(killed, deadline);
  }

  #stop(task: Task, deadline: number): void {
    if (task.container === undefined) return;
    const graceMs = Math.max(0, deadline - this.#stamp.now);
    this.#actions.push({ type: 'stop', taskId: task.id, container: task.container, graceMs });
  }

  #shutDown(): void {
    this.#state = { ...this.#state, leaving: true };
    const bound = Math.max(0, this.#constants.shutdownGraceMs - SHUTDOWN_SLACK_MS);
    for (const task of this.#state.tasks.values()) this.#kill(task, Math.min(killGraceMs(task), bound));
  }

  #recover(containers: readonly FoundContainer[]): void {
    const found = new Map(containers.map((c) => [c.taskId, c]));
    for (const task of this.#state.tasks.values()) this.#resume(task, found.get(task.id));
    for (const { taskId, container } of containers) {
      if (!this.#state.tasks.has(taskId))
        this.#resume(unknownTask(taskId), { taskId, container, started: true });
    }
  }

  #resume(task: Task, found: FoundContainer | undefined): void {
    if (found) this.#resumeWith(task, found);
    else this.#resumeWithout({ ...task, container: undefined });
  }

  #resumeWithout(task: Task): void {
    if (task.phase === 'ended') {
      this.#put(task);
    } else if (task.phase === 'starting' || task.phase === 'running') {
      this.#failed(task, 'The container was removed by another program');
    } else if (task.kill) {
      this.#end(task, KILLED_BEFORE_CREATE);
    } else {
      const plan = this.#planOrEnd(task);
      if (!plan) return;
      this.#put({ ...task, phase: 'preparing' });
      this.#actions.push(prepare(task.id, plan));
    }
  }

  #resumeWith(task: Task, { container, started }: FoundContainer): void {
    const held: Task = { ...task, container, info: withoutData(task.info) };
    const { id: taskId, output } = held;
    if (task.phase === 'ended') {
      this.#put(held);
      this.#actions.push({ type: 'remove', taskId, container });
    } else if (!started && task.kill) {
      this.#end(held, KILLED_BEFORE_START);
    } else {
      this.#put({ ...held, phase: task.phase === 'running' ? 'running' : 'starting' });
      this.#actions.push({ type: started ? 'adopt' : 'start', taskId, container, output });
      if (task.phase === 'running' && task.kill) this.#stop(held, task.kill.deadline);
    }
  }

  #acknowledged(task: Task, uuid: string): void {
    this.#put({ ...task, acknowledged: true, updates: task.updates.filter((u) => u.uuid !== uuid) });
  }

  /** Sends the update again with a new uuid, unless the task has newer updates, which an older state must not follow. */
  #refused(task: Task, uuid: string): void {
    const at = task.updates.findIndex((u) => u.uuid === uuid);
    const refused = task.updates[at];
    if (!refused) return;
    if (at < task.updates.length - 1) {
      this.#put({ ...task, updates: task.updates.toSpliced(at, 1) });
      return;
    }
    const status = { ...refused, uuid: this.#stamp.uuid() };
    this.#put({ ...task, updates: task.updates.with(at, status) });
    this.#actions.push({ type: 'update', status });
  }

  #end(task: Task, outcome: Outcome): void {
    if (task.single) this.#state = { ...this.#state, leaving: true };
    if (task.health && !task.kill) this.#actions.push({ type: 'uncheck', taskId: task.id });
    this.#update({ ...task, phase: 'ended', info: withoutData(task.info) }, outcome);
    if (task.container === undefined) return;
    this.#actions.push({ type: 'remove', taskId: task.id, container: task.container });
  }

  #update(task: Task, outcome: Outcome): void {
    const status = makeUpdate(task, outcome, this.#constants, this.#stamp);
    this.#put({ ...task, updates: [...task.updates, status] });
    this.#actions.push({ type: 'update', status });
  }

  /** Stores a task. Deletes it if it has ended, its updates are acknowledged and its container is gone. */
  #put(task: Task): void {
    const tasks = new Map(this.#state.tasks);
    const over = task.phase === 'ended' && task.updates.length === 0 && task.container === undefined;
    if (over) tasks.delete(task.id);
    else tasks.set(task.id, task);
    this.#state = { ...this.#state, tasks };
  }

  /** @param policy checked at the launch; again, completely, before the container is created (container-creation.ts) */
  #planOrEnd(task: Task, policy?: PolicyReading): ContainerPlan | undefined {
    try {
      if (!task.info) throw new TaskInvalidError('The description of the task is missing');
      const plan = planTask(task.info, this.#constants.own);
      return policy ? admittedPlan(plan, policy, undefined) : plan;
    } catch (error) {
      if (!(error instanceof TaskInvalidError)) throw error;
      this.#end(task, invalidOutcome(error.message));
      return undefined;
    }
  }
}

function prepare(taskId: string, { image, forcePull }: ContainerPlan): ExecutorAction {
  return { type: 'prepare', taskId, image, ...(forcePull && { forcePull: true }) };
}
