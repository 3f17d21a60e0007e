/** The scheduler's step with a disk that outlives it: what the runner does, in virtual time. */

import type { Call, Decision, Input, Reply } from '../scheduler/decide/inputs.ts';
import { type StepWatch, step } from '../scheduler/decide/step.ts';
import type { StateEvent, StoredEvent } from '../scheduler/domain/events.ts';
import { evolve } from '../scheduler/domain/evolve.ts';
import type { Settings } from '../scheduler/domain/settings.ts';
import { snapshotOf } from '../scheduler/domain/snapshot.ts';
import { createState, type State } from '../scheduler/domain/state.ts';
import { readEvent } from '../scheduler/domain/stored-events.ts';

const SNAPSHOT_EVENTS = 5000;

/** How far a batch gets before a crash: whether its events were stored, and how many of its calls left. */
export interface Crash {
  readonly stored: boolean;
  readonly calls: number;
}

export interface Taken {
  /** Calls that left. */
  readonly calls: readonly Call[];
  /** One for each input, unless a crash swallowed them. */
  readonly replies: readonly (Reply | undefined)[];
}

/** Observes the core. */
export interface Watch extends StepWatch {
  begun?(inputs: readonly Input[]): void;
  done?(): void;
  /** Events that a restart will read. */
  stored?(events: readonly StoredEvent[]): void;
  /** Events that the world hears of. */
  published?(events: readonly StateEvent[]): void;
  /** The process ended; `before` is the state it had, unless that was ahead of the disk, and `after` what was read. */
  restarted?(before: State | undefined, after: State): void;
}

export class Core {
  state: State;
  /** What is stored, in order. */
  readonly disk: StoredEvent[] = [];
  /** Of the last input. */
  lastDecision: Decision = { events: [], calls: [] };
  readonly #settings: Settings;
  readonly #watch: Watch;
  readonly #snapshotEvents: number;
  #snapshotAt: number;
  /** The state holds what the disk doesn't. */
  #ahead = false;

  /** @param snapshotEvents events on disk at which a snapshot may take their place */
  constructor(settings: Settings, watch: Watch = {}, snapshotEvents = SNAPSHOT_EVENTS) {
    this.#snapshotEvents = snapshotEvents;
    this.#snapshotAt = snapshotEvents;
    this.#settings = settings;
    this.#watch = watch;
    this.state = createState(settings);
  }

  /** @param crash where the process ends during this batch; it is down then until `restart` */
  take(inputs: readonly Input[], now: number, crash?: Crash): Taken {
    this.#watch.begun?.(inputs);
    const { outcomes, events, stored, calls } = step(this.state, inputs, now, this.#watch);
    this.#watch.done?.();
    const replies: (Reply | undefined)[] = [];
    for (const outcome of outcomes) {
      if ('error' in outcome) throw outcome.error;
      this.lastDecision = outcome.decision;
      replies.push(outcome.decision.reply);
    }
    this.#ahead = crash?.stored === false;
    if (this.#ahead) return { calls: [], replies: [] };
    this.#store(stored);
    if (crash) return { calls: calls.slice(0, crash.calls), replies: [] };
    this.#watch.published?.(events);
    return { calls, replies };
  }

  /** kill -9 and start again, here or elsewhere: only the disk is left. */
  restart(): void {
    const before = this.#ahead ? undefined : this.state;
    this.#ahead = false;
    this.state = createState(this.#settings);
    for (const event of this.disk) evolve(this.state, readEvent(event));
    this.#watch.restarted?.(before, this.state);
  }

  /** Replaces what is on disk by the shortest that leads to the same state. */
  snapshot(): void {
    this.disk.splice(0, this.disk.length, ...copyEvents([...snapshotOf(this.state)]));
  }

  #store(stored: readonly StoredEvent[]): void {
    if (stored.length === 0) return;
    for (const event of copyEvents(stored)) this.disk.push(event);
    this.#watch.stored?.(stored);
    if (this.disk.length < this.#snapshotAt) return;
    this.snapshot();
    this.#snapshotAt = Math.max(this.#snapshotEvents, 2 * this.disk.length);
  }
}

/** As a store gives them back. */
function copyEvents(events: readonly StoredEvent[]): StoredEvent[] {
  return JSON.parse(JSON.stringify(events)) as StoredEvent[];
}
