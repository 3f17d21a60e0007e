import type { Call, Decision, Input, Reply } from '../../src/scheduler/decide/inputs.ts';
import type { StateEvent, StoredEvent } from '../../src/scheduler/domain/events.ts';
import type { Settings } from '../../src/scheduler/domain/settings.ts';
import type { State } from '../../src/scheduler/domain/state.ts';
import { nextTimer } from '../../src/scheduler/domain/timers.ts';
import { Acknowledged } from '../../src/simulator/acknowledged.ts';
import type { AgentSpec } from '../../src/simulator/agent.ts';
import { Core, type Crash } from '../../src/simulator/core.ts';
import { type MesosHooks, SimulatedMesos } from '../../src/simulator/mesos.ts';
import { settings } from './fixtures.ts';

/** Records every call, for tests that inspect them. */
class RecordingMesos extends SimulatedMesos {
  readonly calls: Call[] = [];

  override call(call: Call): void {
    this.calls.push(call);
    super.call(call);
  }
}

/** The scheduler's core with a Mesos in memory that answers at once, driven step by step by a test. */
export class Harness {
  readonly mesos: RecordingMesos;
  readonly #core: Core;
  now = 1_000_000;
  /** Called before each event is applied. */
  onEvent: ((event: StateEvent) => void) | undefined;

  /** @param snapshotEvents number of stored events that lead to a snapshot */
  constructor(
    agents: readonly AgentSpec[],
    more: Partial<Settings> = {},
    moreHooks: MesosHooks = {},
    snapshotEvents?: number,
  ) {
    const acknowledged = new Acknowledged();
    this.#core = new Core(
      settings(more),
      {
        before: (_state, event) => this.onEvent?.(event),
        stored: (events) => acknowledged.recordStored(events),
      },
      snapshotEvents,
    );
    const hooks: MesosHooks = {
      onAcknowledge: (status) => {
        const problem = acknowledged.findProblem(status);
        if (problem !== undefined) throw new Error(problem);
      },
    };
    this.mesos = new RecordingMesos(agents, { ...hooks, ...moreHooks }, settings(more).role);
  }

  get state(): State {
    return this.#core.state;
  }

  get disk(): StoredEvent[] {
    return this.#core.disk;
  }

  get lastDecision(): Decision {
    return this.#core.lastDecision;
  }

  /** @returns the reply, unless a crash prevents it */
  input(input: Input, crash?: Crash): Reply | undefined {
    return this.inputs([input], crash)[0];
  }

  /** Submits inputs as one batch. @returns their replies, unless a crash prevents them */
  inputs(inputs: readonly Input[], crash?: Crash): readonly (Reply | undefined)[] {
    const { calls, replies } = this.#core.take(inputs, this.now, crash);
    for (const call of calls) this.mesos.call(structuredClone(call));
    if (crash) this.restart();
    return replies;
  }

  /** Simulates kill -9 and a restart: only the disk survives. */
  restart(): void {
    this.mesos.disconnect();
    this.#core.restart();
  }

  connect(): void {
    this.mesos.subscribe(this.state.suppressed, this.state.constraints.forSubscribe);
  }

  disconnect(): void {
    this.mesos.disconnect();
    this.input({ type: 'disconnected', reason: 'test' });
  }

  /** Delivers the next events as one batch. @returns false if there are none */
  deliver(crash?: Crash, count = 1): boolean {
    const events = this.mesos.inbox.splice(0, count);
    if (events.length === 0) return false;
    this.inputs(
      events.map((event) => ({ type: 'mesos', event })),
      crash,
    );
    return true;
  }

  deliverAll(): void {
    while (this.deliver());
  }

  pass(ms: number): void {
    this.now += ms;
    this.input({ type: 'timer' });
  }

  /** Runs until nothing happens any more. */
  rest(): void {
    if (!this.state.connected) this.connect();
    for (let round = 0; round < 200; round += 1) {
      this.deliverAll();
      this.mesos.offer();
      const worked = this.mesos.work();
      if (this.mesos.inbox.length > 0 || worked) continue;
      const next = nextTimer(this.state.timers);
      const waits = this.state.waiting.size > 0 || this.state.unanswered.size > 0 || this.#isEnding();
      if (!waits || next === undefined || next > this.now + 600_000) return;
      this.pass(Math.max(1, next - this.now));
    }
  }

  #isEnding(): boolean {
    return [...this.state.tasks.values()].some(({ killedAt }) => killedAt !== undefined);
  }
}

/** A scheduler that is connected to these agents, has taken the input, and has answered one round of offers. */
export function afterOffers(agents: readonly AgentSpec[], input: Input): Harness {
  const harness = new Harness(agents);
  harness.connect();
  harness.deliverAll();
  harness.input(input);
  harness.mesos.offer();
  harness.deliverAll();
  return harness;
}
