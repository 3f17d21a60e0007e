/**
 * Runs `step` on incoming inputs: stores the events of a batch, then sends its calls, replies and notices. Inputs that
 * arrive while events are being stored form the next batch, so one fsync serves many. Within a batch the state is ahead
 * of the disk; no call, reply, notice or read leaves before its events are on disk. If the disk fails, the daemon
 * exits.
 */

import { MesosCallError } from '../mesos/http.ts';
import type { Call, Input, Reply } from './decide/inputs.ts';
import { type Outcome, step, UnsettledError } from './decide/step.ts';
import type { StateEvent, StoredEvent } from './domain/events.ts';
import { beginSnapshot, type Snapshot } from './domain/snapshot.ts';
import type { State } from './domain/state.ts';
import { nextTimer } from './domain/timers.ts';
import type { Store } from './store/store.ts';

/** Limits how long a read waits for the previous batch. */
const INPUTS_IN_BATCH = 1000;
/** Node treats longer timeouts as 1 ms. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export interface RunnerOptions<Notice> {
  state: State;
  store: Store;
  /** Milliseconds since the epoch. */
  now: () => number;
  send: (call: Call) => Promise<void>;
  /** Derives the notices for an event; called just before the event is applied. */
  describe: (state: State, event: StateEvent, now: number) => Notice[];
  /** Called with the events of a batch and their notices, once the events are stored. */
  publish: (notices: Notice[], events: readonly StateEvent[]) => void;
  /** Called when a call failed or an input could not be handled; the daemon continues. */
  onError: (what: string, error: unknown) => void;
  /** Called when the daemon can't continue. */
  onFatal: (message: string) => void;
  onNewSession: () => void;
}

interface Waiting {
  input: Input;
  resolve: (reply: Reply | undefined) => void;
  reject: (error: unknown) => void;
}

export interface Runner {
  /** Resolves with the reply once the events behind it are stored. */
  submit(input: Input): Promise<Reply | undefined>;
  /** Submits an input without waiting for the reply; failures are reported to `onError`. */
  post(input: Input): void;
  /** Reads the state when all of it is stored. */
  read<T>(reader: (state: State) => T): Promise<T>;
  /** Accepts no further inputs, and waits for the current batch. */
  stop(): Promise<void>;
}

export function createRunner<Notice>(options: RunnerOptions<Notice>): Runner {
  return new BatchRunner(options);
}

class BatchRunner<Notice> implements Runner {
  readonly #options: RunnerOptions<Notice>;
  #inputs: Waiting[] = [];
  #reads: (() => void)[] = [];
  #working: Promise<void> | undefined;
  #stopped = false;
  /** While a snapshot is being written, beside the batches. */
  #snapshot: Snapshot | undefined;
  #snapshotEnd: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;

  constructor(options: RunnerOptions<Notice>) {
    this.#options = options;
  }

  submit(input: Input): Promise<Reply | undefined> {
    return new Promise((resolve, reject) => {
      this.#inputs.push({ input, resolve, reject });
      this.#wake();
    });
  }

  post(input: Input): void {
    this.submit(input).catch(() => {});
  }

  read<T>(reader: (state: State) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reads.push(() => {
        try {
          resolve(reader(this.#options.state));
        } catch (error) {
          reject(error);
        }
      });
      this.#wake();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#working;
    await this.#snapshotEnd;
  }

  #wake(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      if (!this.#stopped && (this.#inputs.length > 0 || this.#reads.length > 0)) this.#wake();
    });
  }

  async #work(): Promise<void> {
    // Waits for the other inputs of this turn of the event loop, so that they join the first batch.
    await Promise.resolve();
    while (!this.#stopped && (this.#inputs.length > 0 || this.#reads.length > 0)) {
      for (const read of this.#reads.splice(0)) read();
      try {
        await this.#batch(this.#inputs.splice(0, INPUTS_IN_BATCH));
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#setTimer();
  }

  #fail(error: unknown): void {
    this.#stopped = true;
    const what =
      error instanceof UnsettledError ? "the scheduler can't continue" : 'the state could not be stored';
    this.#options.onFatal(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }

  async #batch(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return;
    const { state, store, now, describe, publish, onFatal, onNewSession } = this.#options;
    const at = now();
    const notices: Notice[] = [];
    const inputs = batch.map(({ input }) => input);
    const { outcomes, events, stored, calls } = step(state, inputs, at, {
      before: (before, event) => {
        this.#snapshot?.before(before, event);
        notices.push(...describe(before, event, at));
      },
    });

    if (stored.length > 0) await store.append(stored);
    for (const call of calls) this.#send(call);
    for (const [i, waiting] of batch.entries()) this.#answer(waiting, outcomes[i]);
    if (events.length > 0) publish(notices, events);
    const decisions = outcomes.flatMap((one) => ('decision' in one ? [one.decision] : []));
    if (decisions.some(({ newSession }) => newSession)) onNewSession();
    const fatal = decisions.find((one) => one.fatal !== undefined)?.fatal;
    if (fatal !== undefined) onFatal(fatal);
    if (!this.#snapshot && store.snapshotDue()) this.#snapshotEnd = this.#takeSnapshot(store);
  }

  /** Begins while the state is that on disk; ends some batches later. */
  async #takeSnapshot(store: Store): Promise<void> {
    const snapshot = beginSnapshot(this.#options.state);
    this.#snapshot = snapshot;
    try {
      await store.snapshot(this.#untilStopped(snapshot.events()));
    } catch (error) {
      if (!this.#stopped) this.#fail(error);
    } finally {
      this.#snapshot = undefined;
    }
  }

  /** An unfinished snapshot changes nothing, so nobody needs to wait for it. */
  *#untilStopped(events: Iterable<StoredEvent>): Generator<StoredEvent> {
    for (const event of events) {
      if (this.#stopped) throw new Error('the scheduler stops');
      yield event;
    }
  }

  #answer({ input, resolve, reject }: Waiting, outcome: Outcome | undefined): void {
    if (!outcome) throw new TypeError(`step gave no outcome for an input of type ${input.type}`);
    if ('decision' in outcome) {
      resolve(outcome.decision.reply);
      return;
    }
    this.#options.onError(`an input of type ${input.type} could not be handled`, outcome.error);
    reject(outcome.error);
  }

  #send(call: Call): void {
    this.#options.send(call).catch((error: unknown) => {
      this.#options.onError(`the master did not accept ${call.type}`, error);
      const refused = refusalOf(error);
      this.post({ type: 'call_failed', call, ...(refused !== undefined && { refused }) });
    });
  }

  #setTimer(): void {
    const next = this.#stopped ? Infinity : (nextTimer(this.#options.state.timers) ?? Infinity);
    if (next === this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = next;
    if (next === Infinity) return;
    const wait = Math.min(Math.max(0, next - this.#options.now()), MAX_TIMEOUT_MS);
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      this.post({ type: 'timer' });
    }, wait);
  }
}

/** @returns the master's reason for rejecting a call; undefined if the call may succeed when repeated */
function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof MesosCallError) || error.status === undefined) return undefined;
  return error.status >= 400 && error.status < 500 ? error.message : undefined;
}
