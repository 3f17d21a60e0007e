/**
 * The life of tasks: (state, input) → (state, actions). Pure: the worker stores the new state and only then
 * performs the actions.
 */

import type { TaskInfo, TaskStatus } from '../../mesos/types.ts';
import type {
  Constants,
  ExecutorAction,
  ExecutorInput,
  FoundContainer,
  Stamp,
  State,
  Task,
} from './state.ts';
import { type ContainerPlan, limitsOf, planTask, TaskInvalidError } from './task-plan.ts';
import { makeUpdate, type Outcome } from './task-status.ts';

/** What the original Docker executor gave a container between SIGTERM and SIGKILL. */
const DEFAULT_GRACE_MS = 2000;
/** Kept back from the executor's shutdown grace period for removing containers and telling the agent. */
const SHUTDOWN_SLACK_MS = 1000;
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

/** For SUBSCRIBE: tasks none of whose updates was acknowledged, and updates that were not. */
export function unacknowledged(state: State): { tasks: TaskInfo[]; updates: { status: TaskStatus }[] } {
  const tasks = [...state.tasks.values()];
  return {
    tasks: tasks.filter((t) => !t.acknowledged).flatMap((t) => t.info ?? []),
    updates: tasks.flatMap((t) => t.updates.map((status) => ({ status }))),
  };
}

/** True where nothing runs and nothing is left to be told. */
export function isIdle(state: State): boolean {
  return state.tasks.size === 0;
}

/** True where no container of ours is left, though updates may wait for their acknowledgement. */
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
      // What concerns a task we don't have comes too late: it has ended and been forgotten.
      const task = this.#state.tasks.get(input.taskId);
      if (task) this.#takeFor(task, input);
    } else if (input.type === 'subscribed') {
      this.#state = { ...this.#state, tellsKilling: input.capabilities.includes('TASK_KILLING_STATE') };
    } else if (input.type === 'launch') {
      this.#launch(input.task);
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
      case 'image-ready':
        this.#imageReady(task, input.exposed);
        break;
      case 'created':
        this.#created(task, input.container, input.output);
        break;
      case 'running':
        this.#running(task, input.addresses);
        break;
      case 'exited':
        this.#exited(task, input.exitCode, input.outOfMemory);
        break;
      case 'failed':
        this.#failed(task, input.message);
        break;
      case 'removed':
        this.#put({ ...task, container: undefined });
        break;
    }
  }

  #launch(info: TaskInfo): void {
    const id = info.task_id.value;
    if (this.#state.tasks.has(id)) return;
    const { own } = this.#constants;
    const launched: Task = {
      id,
      phase: 'preparing',
      info,
      acknowledged: false,
      single: own.argv.length > 0,
      container: undefined,
      output: undefined,
      kill: undefined,
      updates: [],
    };
    if (this.#state.leaving) {
      this.#end(launched, {
        state: 'TASK_FAILED',
        reason: 'REASON_EXECUTOR_TERMINATED',
        message: 'The executor is about to exit: launch the task again',
      });
      return;
    }
    const plan = this.#planOrEnd(launched);
    if (!plan) return;
    if (plan.single && this.#state.tasks.size > 0) {
      this.#end(
        { ...launched, single: false },
        {
          state: 'TASK_ERROR',
          reason: 'REASON_TASK_INVALID',
          message: 'This executor runs one task, and has one: use an executor id for each task',
        },
      );
      return;
    }
    this.#update({ ...launched, single: plan.single }, { state: 'TASK_STARTING' });
    this.#actions.push({ type: 'prepare', taskId: id, image: plan.image });
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

  #running(task: Task, addresses: readonly string[]): void {
    if (task.phase !== 'starting' || task.container === undefined) return;
    const running: Task = { ...task, phase: 'running' };
    if (task.kill) {
      this.#put(running);
      this.#stop(running, task.kill.deadline);
    } else {
      this.#update(running, { state: 'TASK_RUNNING', addresses });
    }
  }

  #exited(task: Task, exitCode: number, outOfMemory: boolean): void {
    if (task.phase === 'ended') return;
    const message = `Container exited with status ${exitCode}`;
    if (task.kill) {
      this.#end(task, { state: 'TASK_KILLED', message: `${message} after it was told to stop` });
    } else if (exitCode === 0) {
      this.#end(task, { state: 'TASK_FINISHED', message });
    } else if (outOfMemory) {
      const bytes = task.info && limitsOf(task.info).memoryBytes;
      const limit = bytes === undefined ? '' : ` (limit ${Math.round(bytes / 1024 / 1024)} MiB)`;
      const reason = 'REASON_CONTAINER_LIMITATION_MEMORY';
      this.#end(task, { state: 'TASK_FAILED', reason, message: `${message}, killed: out of memory${limit}` });
    } else {
      this.#end(task, { state: 'TASK_FAILED', reason: 'REASON_COMMAND_EXECUTOR_FAILED', message });
    }
  }

  #failed(task: Task, message: string): void {
    if (task.phase === 'ended') return;
    if (task.kill) this.#end(task, { state: 'TASK_KILLED', message });
    else this.#end(task, { state: 'TASK_FAILED', reason: 'REASON_CONTAINER_LAUNCH_FAILED', message });
  }

  /** @param graceMs from SIGTERM to SIGKILL; one that ends later than what was asked before changes nothing */
  #kill(task: Task, graceMs: number): void {
    const deadline = this.#stamp.now + graceMs;
    if (task.phase === 'ended' || (task.kill && task.kill.deadline <= deadline)) return;
    const killed: Task = { ...task, kill: { deadline } };
    if (task.phase === 'preparing') {
      this.#actions.push({ type: 'abandon', taskId: task.id });
      this.#end(killed, KILLED_BEFORE_CREATE);
      return;
    }
    if (!task.kill && this.#state.tellsKilling) this.#update(killed, { state: 'TASK_KILLING' });
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
      this.#failed(task, 'The container is gone: something else removed it');
    } else if (task.kill) {
      this.#end(task, KILLED_BEFORE_CREATE);
    } else {
      const plan = this.#planOrEnd(task);
      if (!plan) return;
      this.#put({ ...task, phase: 'preparing' });
      this.#actions.push({ type: 'prepare', taskId: task.id, image: plan.image });
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

  /** Sent again under a new uuid, unless the task has come further: an older state must not arrive after a newer. */
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
    this.#update({ ...task, phase: 'ended', info: withoutData(task.info) }, outcome);
    if (task.container === undefined) return;
    this.#actions.push({ type: 'remove', taskId: task.id, container: task.container });
  }

  #update(task: Task, outcome: Outcome): void {
    const status = makeUpdate(task, outcome, this.#constants, this.#stamp);
    this.#put({ ...task, updates: [...task.updates, status] });
    this.#actions.push({ type: 'update', status });
  }

  /** A task that has ended is forgotten once its updates are acknowledged and its container is gone. */
  #put(task: Task): void {
    const tasks = new Map(this.#state.tasks);
    const over = task.phase === 'ended' && task.updates.length === 0 && task.container === undefined;
    if (over) tasks.delete(task.id);
    else tasks.set(task.id, task);
    this.#state = { ...this.#state, tasks };
  }

  #planOrEnd(task: Task): ContainerPlan | undefined {
    try {
      if (!task.info) throw new TaskInvalidError('The task has lost its description');
      return planTask(task.info, this.#constants.own);
    } catch (error) {
      if (!(error instanceof TaskInvalidError)) throw error;
      this.#end(task, { state: 'TASK_ERROR', reason: 'REASON_TASK_INVALID', message: error.message });
      return undefined;
    }
  }
}

function killGraceMs(task: Task): number {
  const nanoseconds = task.info?.kill_policy?.grace_period?.nanoseconds;
  return nanoseconds === undefined ? DEFAULT_GRACE_MS : nanoseconds / 1e6;
}

function withoutData(info: TaskInfo | undefined): TaskInfo | undefined {
  if (info?.data === undefined) return info;
  const { data: _data, ...rest } = info;
  return rest;
}

/** For a container of this run of which the files say nothing: the agent knows the task, so it lives on. */
function unknownTask(id: string): Task {
  return {
    id,
    phase: 'running',
    info: undefined,
    acknowledged: true,
    single: false,
    container: undefined,
    output: undefined,
    kill: undefined,
    updates: [],
  };
}
