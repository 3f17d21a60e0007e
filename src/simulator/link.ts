/**
 * Simulates the scheduler as a process that can crash, and its connection to the master: messages have latencies and
 * keep their order, calls may be lost or rejected, connections break. Inputs that arrive while a batch is being stored
 * form the next batches, of random sizes. Source of the consequences of a lost call: scheduler-session.ts.
 */

import type { SchedulerEvent } from '../mesos/types.ts';
import type { Call, Input, Reply } from '../scheduler/decide/inputs.ts';
import { nextTimer } from '../scheduler/domain/timers.ts';
import type { Agenda } from './agenda.ts';
import type { Core, Crash } from './core.ts';
import type { SimulatedMesos } from './mesos.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';

const RECONNECT_MS = [200, 5000] as const;
const RESTART_MS = [500, 10_000] as const;
/** A failover takes as long as ZooKeeper needs to end the leader's session. */
const FAILOVER_MS = [2000, 15_000] as const;
/** Maximum number of calls sent before a crash, unless all of them are. */
const MAX_CALLS_LEFT = 4;
const ALL_CALLS_LEAVE = 0.2;
/** Duration of a write to the disk or to ZooKeeper; inputs wait for the previous write. */
const STORE_MS = [0, 50] as const;
const SMALL_BATCH = 10;
/** The limit of the runner. */
const MAX_BATCH = 1000;

export interface LinkCounts {
  inputs: number;
  batches: number;
  /** Number of inputs in the largest batch. */
  largestBatch: number;
  calls: number;
  lostCalls: number;
  refusedCalls: number;
  crashes: number;
  failovers: number;
  connections: number;
}

interface Waiting {
  readonly input: Input;
  readonly answered: (reply: Reply | undefined) => void;
}

interface World {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly mesos: SimulatedMesos;
  readonly core: Core;
}

export class Link {
  readonly counts: LinkCounts = {
    inputs: 0,
    batches: 0,
    largestBatch: 0,
    calls: 0,
    lostCalls: 0,
    refusedCalls: 0,
    crashes: 0,
    failovers: 0,
    connections: 0,
  };
  readonly #world: World;
  readonly #scenario: Scenario;
  /** True after the end of the faults. */
  calm = false;
  /** True while the scheduler runs. */
  #up = true;
  /** Counts connections; messages of earlier connections are void. */
  #connection = 0;
  /** Counts starts of the scheduler. */
  #process = 0;
  #eventsUntil = 0;
  #callsUntil = 0;
  #timerAt = Infinity;
  /** Crash during the next batch. */
  #crash: { crash: Crash; downMs: number } | undefined;
  #waiting: Waiting[] = [];
  #storing = false;

  constructor(world: World, scenario: Scenario) {
    this.#world = world;
    this.#scenario = scenario;
  }

  connect(): void {
    const { mesos, core } = this.#world;
    if (!this.#up) return;
    this.#connection += 1;
    this.counts.connections += 1;
    mesos.subscribe(core.state.suppressed, core.state.constraints.forSubscribe);
    this.pump();
  }

  /** Breaks the connection; the scheduler notices it and reconnects. */
  break(reason = 'the connection broke'): void {
    const { agenda, random, mesos } = this.#world;
    mesos.disconnect();
    this.#connection += 1;
    const connection = this.#connection;
    this.#send(() => {
      if (this.#connection === connection) this.input({ type: 'disconnected', reason });
    });
    agenda.after(random.within(RECONNECT_MS), () => {
      if (this.#connection === connection) this.connect();
    });
  }

  /** Crashes the scheduler during its next batch: before it is stored, or afterwards with some or all calls sent. */
  crash(): void {
    const { random } = this.#world;
    const stored = random.chance(0.5);
    const calls = random.chance(ALL_CALLS_LEAVE) ? Infinity : random.integer(0, MAX_CALLS_LEFT);
    const crash = { stored, calls };
    this.counts.crashes += 1;
    this.#crash = { crash, downMs: random.within(RESTART_MS) };
  }

  /** Another scheduler takes over; the old one may not have noticed yet, but its actions have no effect. */
  failOver(): void {
    if (!this.#up) return;
    this.counts.failovers += 1;
    this.#goDown(this.#world.random.within(FAILOVER_MS));
  }

  /** @param answered called with the reply, or with undefined if no scheduler answered */
  input(input: Input, answered: (reply: Reply | undefined) => void = () => {}): void {
    if (!this.#up) {
      answered(undefined);
      return;
    }
    this.counts.inputs += 1;
    this.#waiting.push({ input, answered });
    this.#wake();
  }

  /** Takes some of the waiting inputs, once the previous batch is stored. */
  #wake(): void {
    if (this.#storing || this.#waiting.length === 0) return;
    const { agenda, random } = this.#world;
    const process = this.#process;
    const size = random.pick([1, random.integer(1, SMALL_BATCH), MAX_BATCH]);
    this.#storing = true;
    agenda.after(random.chance(0.5) ? 0 : random.within(STORE_MS), () => {
      if (this.#process !== process || !this.#up) return;
      this.#storing = false;
      this.#batch(this.#waiting.splice(0, size));
    });
  }

  #batch(batch: readonly Waiting[]): void {
    const { agenda, core } = this.#world;
    this.counts.batches += 1;
    this.counts.largestBatch = Math.max(this.counts.largestBatch, batch.length);
    const crashing = this.#crash;
    this.#crash = undefined;
    const inputs = batch.map(({ input }) => input);
    const { calls, replies } = core.take(inputs, agenda.now, crashing?.crash);
    for (const call of calls) this.#call(call);
    if (crashing) this.#goDown(crashing.downMs);
    for (const [i, { answered }] of batch.entries()) answered(replies[i]);
    if (crashing) return;
    this.#setTimer();
    this.pump();
    this.#wake();
  }

  /** Sends the pending events of the master. */
  pump(): void {
    const { agenda, random, mesos } = this.#world;
    const connection = this.#connection;
    for (const event of mesos.inbox.splice(0)) {
      this.#eventsUntil = Math.max(this.#eventsUntil, agenda.now + random.within(this.#scenario.latencyMs));
      const times = this.#repeats(event) ? 2 : 1;
      for (let i = 0; i < times; i += 1) {
        this.#send(() => {
          if (this.#connection === connection) this.input({ type: 'mesos', event });
        }, this.#eventsUntil);
      }
    }
  }

  get up(): boolean {
    return this.#up;
  }

  #repeats(event: SchedulerEvent): boolean {
    const { repeatedUpdates } = this.#scenario.faults;
    return event.type === 'UPDATE' && !this.calm && this.#world.random.chance(repeatedUpdates);
  }

  #send(
    act: () => void,
    at = this.#world.agenda.now + this.#world.random.within(this.#scenario.latencyMs),
  ): void {
    this.#world.agenda.at(at, act);
  }

  #call(call: Call): void {
    const { agenda, random, mesos } = this.#world;
    this.counts.calls += 1;
    const [connection, process] = [this.#connection, this.#process];
    const fail = () => {
      if (this.#process === process) this.input({ type: 'call_failed', call });
    };
    const { lostCalls, refusedCalls } = this.#scenario.faults;
    const isLost = !this.calm && random.chance(lostCalls);
    const isRefused = !this.calm && random.chance(refusedCalls);
    this.#callsUntil = Math.max(this.#callsUntil, agenda.now + random.within(this.#scenario.latencyMs));
    this.#send(() => {
      // Sent over a closed connection, or by a scheduler that was replaced.
      if (this.#connection !== connection || !mesos.connected) {
        fail();
        return;
      }
      if (isRefused) {
        this.counts.refusedCalls += 1;
        fail();
        return;
      }
      // A lost call may have arrived: then only the answer is lost.
      if (!isLost || random.chance(0.5)) mesos.call(call);
      if (isLost) {
        this.counts.lostCalls += 1;
        fail();
        this.break(`${call.type} was not answered`);
      }
      this.pump();
    }, this.#callsUntil);
  }

  #goDown(downMs: number): void {
    const { agenda, mesos, core, random } = this.#world;
    this.#up = false;
    for (const { answered } of this.#waiting.splice(0)) answered(undefined);
    // Messages on their way still arrive; the master notices the end of the connection later.
    const connection = this.#connection;
    agenda.after(random.within(this.#scenario.latencyMs), () => {
      if (this.#connection !== connection) return;
      this.#connection += 1;
      mesos.disconnect();
    });
    agenda.after(downMs, () => {
      if (this.#up) return;
      this.#up = true;
      this.#process += 1;
      this.#storing = false;
      this.#crash = undefined;
      core.restart();
      this.#timerAt = Infinity;
      this.connect();
    });
  }

  #setTimer(): void {
    const { agenda, core } = this.#world;
    const next = nextTimer(core.state.timers) ?? Infinity;
    if (next === Infinity || (this.#timerAt <= next && this.#timerAt > agenda.now)) return;
    this.#timerAt = next;
    agenda.at(next, () => {
      if (this.#timerAt !== next) return;
      this.#timerAt = Infinity;
      if ((nextTimer(core.state.timers) ?? Infinity) <= agenda.now) this.input({ type: 'timer' });
      else this.#setTimer();
    });
  }
}
