/** The scheduler's core with a disk that outlives it: what the runner does, step by step and in virtual time. */

import { decide } from '../scheduler/decide/decide.ts';
import type { Call, Decision, Input, Reply } from '../scheduler/decide/inputs.ts';
import { settle } from '../scheduler/decide/settle.ts';
import { isStored, type StateEvent, type StoredEvent } from '../scheduler/domain/events.ts';
import { evolve } from '../scheduler/domain/evolve.ts';
import type { Settings } from '../scheduler/domain/settings.ts';
import { snapshotOf } from '../scheduler/domain/snapshot.ts';
import { createState, type State } from '../scheduler/domain/state.ts';

const MOST_ROUNDS = 10_000;
const SNAPSHOT_EVENTS = 5000;

/** How far a crash lets an input come: whether its events were stored, and how many of its calls left. */
export interface Crash {
  readonly stored: boolean;
  readonly calls: number;
}

export interface Outcome {
  /** Calls that left. */
  readonly calls: readonly Call[];
  /** Unless a crash swallowed it. */
  readonly reply?: Reply | undefined;
}

/** Somebody who looks on. */
export interface Watch {
  begun?(input: Input, now: number): void;
  /** Before and after each event is applied; `settling` for those that nobody asked for. */
  before?(state: State, event: StateEvent, settling: boolean): void;
  after?(state: State, event: StateEvent): void;
  done?(state: State): void;
  /** Events that will be there after a crash. */
  stored?(events: readonly StoredEvent[]): void;
}

export class Core {
  state: State;
  /** What is stored, in order. */
  readonly disk: StoredEvent[] = [];
  lastDecision: Decision = { events: [], calls: [] };
  readonly #settings: Settings;
  readonly #watch: Watch;
  readonly #snapshotEvents: number;
  #snapshotAt: number;

  /** @param snapshotEvents events on disk at which a snapshot may take their place */
  constructor(settings: Settings, watch: Watch = {}, snapshotEvents = SNAPSHOT_EVENTS) {
    this.#snapshotEvents = snapshotEvents;
    this.#snapshotAt = snapshotEvents;
    this.#settings = settings;
    this.#watch = watch;
    this.state = createState(settings);
  }

  /** @param crash where it ends in the midst of this input; it is down then until `restart` */
  input(input: Input, now: number, crash?: Crash): Outcome {
    this.#watch.begun?.(input, now);
    const decision = decide(this.state, input, now);
    this.lastDecision = decision;
    const events: StateEvent[] = [];
    const calls: Call[] = [...decision.calls];
    this.#apply(decision.events, events, false);
    for (let round = 0; ; round += 1) {
      const settled = settle(this.state, now);
      if (settled.events.length === 0) break;
      if (round > MOST_ROUNDS) throw new Error('the state never settles');
      this.#apply(settled.events, events, true);
      calls.push(...settled.calls);
    }
    this.#watch.done?.(this.state);
    if (crash?.stored !== false) this.#store(events);
    if (crash) return { calls: crash.stored ? calls.slice(0, crash.calls) : [] };
    return { calls, reply: decision.reply };
  }

  /** kill -9 and start again, here or elsewhere: only the disk is left. */
  restart(): void {
    this.state = createState(this.#settings);
    for (const event of copied(this.disk)) evolve(this.state, event);
  }

  /** Replaces what is on disk by the shortest that leads to the same state. */
  snapshot(): void {
    this.disk.splice(0, this.disk.length, ...copied([...snapshotOf(this.state)]));
  }

  #apply(events: readonly StateEvent[], applied: StateEvent[], settling: boolean): void {
    for (const event of events) {
      this.#watch.before?.(this.state, event, settling);
      evolve(this.state, event);
      this.#watch.after?.(this.state, event);
      applied.push(event);
    }
  }

  #store(events: readonly StateEvent[]): void {
    const stored = events.filter(isStored);
    if (stored.length === 0) return;
    for (const event of copied(stored)) this.disk.push(event);
    this.#watch.stored?.(stored);
    if (this.disk.length < this.#snapshotAt) return;
    this.snapshot();
    this.#snapshotAt = Math.max(this.#snapshotEvents, 2 * this.disk.length);
  }
}

/** As a store gives them back. */
function copied(events: readonly StoredEvent[]): StoredEvent[] {
  return JSON.parse(JSON.stringify(events)) as StoredEvent[];
}
