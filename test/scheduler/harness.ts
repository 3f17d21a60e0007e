import { decide } from '../../src/scheduler/decide/decide.ts';
import type { Call, Decision, Input, Reply } from '../../src/scheduler/decide/inputs.ts';
import { settle } from '../../src/scheduler/decide/settle.ts';
import { isStored, type StateEvent, type StoredEvent } from '../../src/scheduler/domain/events.ts';
import { evolve } from '../../src/scheduler/domain/evolve.ts';
import type { Settings } from '../../src/scheduler/domain/settings.ts';
import { createState, type State } from '../../src/scheduler/domain/state.ts';
import { nextTimer } from '../../src/scheduler/domain/timers.ts';
import { type FakeAgent, FakeMesos } from './fake-mesos.ts';
import { settings } from './fixtures.ts';

/** How far a crash lets an input come: what it would have stored, and how many of its calls. */
export interface Crash {
  readonly stored: boolean;
  readonly calls: number;
}

/** The scheduler's core against a Mesos in memory, with a disk that survives crashes, in virtual time. */
export class Harness {
  readonly mesos: FakeMesos;
  readonly disk: StoredEvent[] = [];
  readonly #settings: Settings;
  state: State;
  now = 1_000_000;
  lastDecision: Decision = { events: [], calls: [] };

  constructor(agents: readonly FakeAgent[], more: Partial<Settings> = {}) {
    this.#settings = settings(more);
    this.state = createState(this.#settings);
    this.mesos = new FakeMesos(agents);
    this.mesos.onAcknowledge = (status) => {
      const id = status.task_id.value;
      const launched = this.disk.some((event) => event.type === 'task_launched' && event.task.id === id);
      const stored = this.disk.some(
        (event) => event.type === 'task_updated' && event.taskId === id && event.state === status.state,
      );
      const ended = launched && !this.state.tasks.has(id);
      if (launched && !stored && !ended)
        throw new Error(`${status.state} of ${id} was acknowledged, not stored`);
    };
  }

  /** @returns the reply, unless a crash swallows it */
  input(input: Input, crash?: Crash): Reply | undefined {
    const decision = decide(this.state, input, this.now);
    this.lastDecision = decision;
    const events: StateEvent[] = [...decision.events];
    for (const event of decision.events) evolve(this.state, event);
    const calls: Call[] = [...decision.calls];
    for (let round = 0; ; round += 1) {
      const settled = settle(this.state, this.now);
      if (settled.events.length === 0) break;
      if (round > 1000) throw new Error('the state never settles');
      for (const event of settled.events) evolve(this.state, event);
      events.push(...settled.events);
      calls.push(...settled.calls);
    }
    if (crash?.stored !== false) this.disk.push(...structuredClone(events.filter(isStored)));
    for (const call of crash ? calls.slice(0, crash.calls) : calls) this.mesos.call(structuredClone(call));
    if (!crash) return decision.reply;
    this.restart();
    return undefined;
  }

  /** kill -9 and start again: only the disk is left. */
  restart(): void {
    this.mesos.disconnect();
    this.state = createState(this.#settings);
    for (const event of structuredClone(this.disk)) evolve(this.state, event);
  }

  connect(): void {
    this.mesos.subscribe(this.state.suppressed);
  }

  disconnect(): void {
    this.mesos.disconnect();
    this.input({ type: 'disconnected', reason: 'test' });
  }

  /** Delivers the next event. @returns false where there is none */
  deliver(crash?: Crash): boolean {
    const event = this.mesos.inbox.shift();
    if (!event) return false;
    this.input({ type: 'mesos', event }, crash);
    return true;
  }

  deliverAll(): void {
    while (this.deliver());
  }

  pass(ms: number): void {
    this.now += ms;
    this.input({ type: 'timer' });
  }

  /** Lets everything that is under way come to its end. */
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
