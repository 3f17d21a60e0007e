/** Passes inputs to the life cycle one at a time, stores the new state, and then performs the actions. */

import { randomBytes } from 'node:crypto';
import { uuidBase64 } from '../mesos/uuid.ts';
import {
  type Constants,
  type ExecutorAction,
  type ExecutorInput,
  INITIAL,
  type State,
} from './domain/executor-state.ts';
import { decide } from './domain/life-cycle.ts';
import type { Log } from './log.ts';
import type { TaskStore } from './task-store.ts';

export interface LifeCycleLoopOptions {
  constants: Constants;
  /** Contains the tasks of an earlier worker, which it has loaded. */
  store: TaskStore;
  perform: (action: ExecutorAction) => void;
  /** Called when a state was stored and its actions have begun. */
  onStored: () => void;
  log: Log;
}

export class LifeCycleLoop {
  readonly #options: LifeCycleLoopOptions;
  #state: State;
  #actions: ExecutorAction[] = [];
  #flushing = false;

  constructor(options: LifeCycleLoopOptions) {
    this.#options = options;
    this.#state = { ...INITIAL, tasks: options.store.tasks };
  }

  get state(): State {
    return this.#state;
  }

  take(input: ExecutorInput): void {
    const stamp = { now: Date.now(), uuid: () => uuidBase64(randomBytes(16)) };
    const { state, actions } = decide(this.#state, input, this.#options.constants, stamp);
    this.#state = state;
    this.#actions.push(...actions);
    if (this.#flushing) return;
    this.#flushing = true;
    // One flush for all events of a chunk.
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const actions = this.#actions;
    this.#actions = [];
    this.#save();
    for (const action of actions) this.#options.perform(action);
    this.#options.onStored();
  }

  /** A full disk must not end the tasks: the error is logged, and the next change tries again. */
  #save(): void {
    try {
      this.#options.store.save(this.#state.tasks);
    } catch (error) {
      this.#options.log({ level: 'error', msg: 'cannot store the tasks', reason: String(error) });
    }
  }
}
