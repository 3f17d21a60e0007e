/** Runs the scheduler's step function with a durable disk, as the runner does, in virtual time. */

import type { Call, Decision, Input, Reply } from '../scheduler/decide/inputs.ts';
import { type StepWatch, step } from '../scheduler/decide/step.ts';
import type { StateEvent, StoredEvent } from '../scheduler/domain/events.ts';
import { evolve } from '../scheduler/domain/evolve.ts';
import type { Settings } from '../scheduler/domain/settings.ts';
import { beginSnapshot, type Snapshot } from '../scheduler/domain/snapshot.ts';
import { createState, type State } from '../scheduler/domain/state.ts';
import { readEvent } from '../scheduler/domain/stored-events.ts';

const SNAPSHOT_EVENTS = 5000;
/** Number of batches during which a snapshot is written. */
const SNAPSHOT_BATCHES = 3;

/** Progress of a batch before a crash: whether its events were stored, and how many of its calls were sent. */
export interface Crash {
  readonly stored: boolean;
  readonly calls: number;
}

export interface Taken {
  /** Calls that were sent. */
  readonly calls: readonly Call[];
  /** One for each input; empty after a crash. */
  readonly replies: readonly (Reply | undefined)[];
}

/** Observes the core. */
export interface Watch extends StepWatch {
  begun?(inputs: readonly Input[]): void;
  done?(): void;
  /** Events that a restart will read. */
  stored?(events: readonly StoredEvent[]): void;
  /** Events that are published. */
  published?(events: readonly StateEvent[]): void;
  /** Called after a restart. `before`: the last state, unless it was ahead of the disk; `after`: the state read. */
  restarted?(before: State | undefined, after: State): void;
}

interface Listing {
  readonly snapshot: Snapshot;
  readonly since: StoredEvent[];
  /** Batches until it is complete. */
  left: number;
}

export class Core {
  state: State;
  /** Stored events in order. */
  readonly disk: StoredEvent[] = [];
  /** The decision on the last input. */
  lastDecision: Decision = { events: [], calls: [] };
  readonly #settings: Settings;
  readonly #watch: Watch;
  readonly #snapshotEvents: number;
  #snapshotAt: number;
  /** The snapshot that is being written, and what was stored since its beginning. */
  #listing: Listing | undefined;
  /** True if the state contains events that are not on disk. */
  #isAhead = false;

  /** @param snapshotEvents minimum number of events on disk before a snapshot */
  constructor(settings: Settings, watch: Watch = {}, snapshotEvents = SNAPSHOT_EVENTS) {
    this.#snapshotEvents = snapshotEvents;
    this.#snapshotAt = snapshotEvents;
    this.#settings = settings;
    this.#watch = watch;
    this.state = createState(settings);
  }

  /** @param crash ends the process during this batch; it is down until `restart` */
  take(inputs: readonly Input[], now: number, crash?: Crash): Taken {
    this.#watch.begun?.(inputs);
    const { outcomes, events, stored, calls } = step(this.state, inputs, now, {
      before: (state, event, settling) => {
        this.#listing?.snapshot.before(state, event);
        this.#watch.before?.(state, event, settling);
      },
      after: (state, event) => this.#watch.after?.(state, event),
    });
    this.#watch.done?.();
    const replies: (Reply | undefined)[] = [];
    for (const outcome of outcomes) {
      if ('error' in outcome) throw outcome.error;
      this.lastDecision = outcome.decision;
      replies.push(outcome.decision.reply);
    }
    this.#isAhead = crash?.stored === false;
    if (this.#isAhead) return { calls: [], replies: [] };
    this.#store(stored);
    if (crash) return { calls: calls.slice(0, crash.calls), replies: [] };
    this.#watch.published?.(events);
    return { calls, replies };
  }

  /** Simulates kill -9 and a restart, here or on another host: only the disk survives. */
  restart(): void {
    const before = this.#isAhead ? undefined : this.state;
    this.#isAhead = false;
    this.#listing = undefined;
    this.state = createState(this.#settings);
    for (const event of this.disk) evolve(this.state, readEvent(event));
    this.#watch.restarted?.(before, this.state);
  }

  #store(stored: readonly StoredEvent[]): void {
    if (stored.length === 0) return;
    for (const event of copyEvents(stored)) {
      this.disk.push(event);
      this.#listing?.since.push(event);
    }
    this.#watch.stored?.(stored);
    if (this.#listing) this.#continueSnapshot(this.#listing);
    else if (this.disk.length >= this.#snapshotAt)
      this.#listing = { snapshot: beginSnapshot(this.state), since: [], left: SNAPSHOT_BATCHES };
  }

  #continueSnapshot(listing: Listing): void {
    listing.left -= 1;
    if (listing.left > 0) return;
    const events = copyEvents([...listing.snapshot.events()]);
    this.disk.splice(0, this.disk.length, ...events, ...listing.since);
    this.#listing = undefined;
    this.#snapshotAt = Math.max(this.#snapshotEvents, 2 * this.disk.length);
  }
}

/** Copies events as a store does. */
function copyEvents(events: readonly StoredEvent[]): StoredEvent[] {
  return JSON.parse(JSON.stringify(events)) as StoredEvent[];
}
