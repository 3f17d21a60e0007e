/**
 * The scheduler as a process that can die, and its connection to the master: messages take their time and keep their
 * order, calls may be lost or refused, connections break. Source of what follows from a lost call: scheduler-session.ts.
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
/** A failover takes as long as ZooKeeper takes to see that the leader is gone. */
const FAILOVER_MS = [2000, 15_000] as const;
const MOST_CALLS_LEFT = 4;

export interface LinkCounts {
  inputs: number;
  calls: number;
  lostCalls: number;
  refusedCalls: number;
  crashes: number;
  failovers: number;
  connections: number;
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
    calls: 0,
    lostCalls: 0,
    refusedCalls: 0,
    crashes: 0,
    failovers: 0,
    connections: 0,
  };
  readonly #world: World;
  readonly #scenario: Scenario;
  /** Faults are over. */
  calm = false;
  /** The scheduler runs. */
  #up = true;
  /** Counts connections: what belongs to another is void. */
  #connection = 0;
  /** Counts starts of the scheduler. */
  #process = 0;
  #eventsUntil = 0;
  #callsUntil = 0;
  #timerAt = Infinity;
  /** The next input ends in the midst. */
  #crash: { crash: Crash; downMs: number } | undefined;
  /** Messages on their way. */
  underWay = 0;

  constructor(world: World, scenario: Scenario) {
    this.#world = world;
    this.#scenario = scenario;
  }

  connect(): void {
    const { mesos, core } = this.#world;
    if (!this.#up) return;
    this.#connection += 1;
    this.counts.connections += 1;
    mesos.subscribe(core.state.suppressed, core.state.constraints.restated);
    this.pump();
  }

  /** The connection is gone; the scheduler notices, and connects again. */
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

  /** The scheduler dies in the midst of its next input. */
  crash(): void {
    const { random } = this.#world;
    const stored = random.chance(0.5);
    const crash = { stored, calls: random.whole(0, MOST_CALLS_LEFT) };
    this.counts.crashes += 1;
    this.#crash = { crash, downMs: random.within(RESTART_MS) };
  }

  /** Another scheduler takes over; this one may not have noticed, but nothing that it does counts any more. */
  failOver(): void {
    if (!this.#up) return;
    this.counts.failovers += 1;
    this.#goDown(this.#world.random.within(FAILOVER_MS));
  }

  /** @returns the reply, where there is a scheduler to give one */
  input(input: Input): Reply | undefined {
    const { agenda, core } = this.#world;
    if (!this.#up) return undefined;
    this.counts.inputs += 1;
    const crashing = this.#crash;
    this.#crash = undefined;
    const { calls, reply } = core.input(input, agenda.now, crashing?.crash);
    for (const call of calls) this.#call(call);
    if (crashing) {
      this.#goDown(crashing.downMs);
      return undefined;
    }
    this.#setTimer();
    this.pump();
    return reply;
  }

  /** Sends off what the master has to say. */
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
    this.underWay += 1;
    this.#world.agenda.at(at, () => {
      this.underWay -= 1;
      act();
    });
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
      // Sent over a connection that is no more, or by a scheduler that another took the place of.
      if (this.#connection !== connection || !mesos.connected) {
        fail();
        return;
      }
      if (isRefused) {
        this.counts.refusedCalls += 1;
        fail();
        return;
      }
      // A lost call may have arrived: it is the answer that is lost then.
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
    // What has left may still arrive; the master sees the end of the connection when it sees it.
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
