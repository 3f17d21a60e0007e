/**
 * Simulates a cluster in virtual time around the scheduler's real core. The same scenario and seed always have the same
 * history.
 */

import type { StateEvent } from '../scheduler/domain/events.ts';
import { sharedExecutorOf } from '../scheduler/domain/executor.ts';
import type { Settings } from '../scheduler/domain/settings.ts';
import { Acknowledged } from './acknowledged.ts';
import { Agenda } from './agenda.ts';
import type { AgentSpec } from './agent.ts';
import { Changes } from './changes.ts';
import { Core } from './core.ts';
import { Faults } from './faults.ts';
import { Link } from './link.ts';
import { SimulatedMesos } from './mesos.ts';
import { Random } from './random.ts';
import type { Report } from './report.ts';
import { findUnrest } from './rest.ts';
import { type Property, Safety, type Violation } from './safety.ts';
import type { Scenario } from './scenario.ts';
import { Tasks } from './tasks.ts';

/** 2026-01-01 */
const BEGIN = 1_767_225_600_000;
const OFFERS_EVERY_MS = 1000;
const UPDATES_AGAIN_MS = 10_000;
const CHECK_EVERY_MS = 5000;
/** Longer than every delay of the scheduler: declined offers, launch delays, reconciliations. */
const MAX_REST_MS = 3_600_000;

export const SETTINGS: Settings = {
  framework: { user: 'root', name: 'simulated', roles: ['*'] },
  role: '*',
  defaultExecutor: '//cmd',
  dockerExecutor: sharedExecutorOf(
    { path: '/var/lib/mesos/executors/docker', cluster: 'simulated', role: '*' },
    () => '0'.repeat(64),
  ),
  containerizer: 'executor',
  mesosBridgeName: 'mesos-bridge',
  localPortMin: 10_000,
  localPortMax: 20_000,
  declineOfferMs: 120_000,
  reconciliationInitialDelayMs: 15_000,
  reconciliationIntervalMs: 600_000,
  killRetryMs: 10_000,
  taskLaunchTimeoutMs: 300_000,
  maxInstancesPerOffer: 1000,
};

/** Runs a scenario until the cluster has come to rest, or a property is violated. */
export function simulate(scenario: Scenario, seed: number = scenario.seed): Report {
  const run = new Simulation(scenario, seed);
  return run.run();
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #seed: number;
  readonly #agenda = new Agenda(BEGIN);
  readonly #random: Random;
  readonly #violations: Violation[] = [];
  readonly #events: Record<string, number> = {};
  readonly #mesos: SimulatedMesos;
  readonly #core: Core;
  readonly #tasks: Tasks;
  readonly #link: Link;
  #calm = false;

  constructor(scenario: Scenario, seed: number) {
    this.#scenario = scenario;
    this.#seed = seed;
    this.#random = new Random(seed);
    const acknowledged = new Acknowledged();
    const safety = new Safety((property, detail) => this.#violated(property, detail));
    this.#core = new Core(SETTINGS, {
      begun: (inputs) => safety.begun(inputs),
      before: (state, event, settling) => safety.before(state, event, settling),
      after: (state, event) => {
        safety.after(state, event);
        this.#count(event);
      },
      done: () => safety.done(),
      stored: (events) => {
        acknowledged.recordStored(events);
        safety.stored(events);
      },
      published: (events) => safety.published(events),
      restarted: (before, after) => safety.restarted(before, after),
    });
    this.#mesos = new SimulatedMesos(agentsOf(scenario), {
      now: () => this.#agenda.now,
      onAcknowledge: (status) => {
        const problem = acknowledged.findProblem(status);
        if (problem !== undefined) this.#violated('stored-first', problem);
      },
      onTask: (task) => this.#tasks.take(task),
      onIdle: (agentId, executorId) => this.#tasks.idle(agentId, executorId),
      losesUpdate: () => !this.#calm && this.#random.chance(scenario.faults.lostUpdates),
    });
    const world = { agenda: this.#agenda, random: this.#random, mesos: this.#mesos, core: this.#core };
    this.#tasks = new Tasks(world, scenario.apps);
    this.#link = new Link(world, scenario);
  }

  run(): Report {
    const world = {
      agenda: this.#agenda,
      random: this.#random,
      mesos: this.#mesos,
      core: this.#core,
      link: this.#link,
    };
    this.#every(OFFERS_EVERY_MS, () => this.#mesos.offer());
    this.#every(UPDATES_AGAIN_MS, () => this.#mesos.repeat());
    this.#link.connect();
    const end = BEGIN + this.#scenario.seconds * 1000;
    const changes = new Changes(world, this.#scenario, BEGIN);
    const faults = new Faults(world, this.#scenario, end);
    this.#agenda.at(end, () => {
      this.#calm = true;
      this.#tasks.calm = true;
      this.#link.calm = true;
      faults.end();
    });
    let restedAt: number | undefined;
    const checkRest = (): void => {
      const [problem] = findUnrest(this.#core.state, this.#mesos);
      if (!problem && this.#link.up) restedAt = this.#agenda.now;
      else this.#agenda.after(CHECK_EVERY_MS, checkRest);
    };
    this.#agenda.at(end + CHECK_EVERY_MS, checkRest);
    const most = end + MAX_REST_MS;
    while (restedAt === undefined && this.#violations.length === 0 && this.#agenda.now < most) this.#step();
    if (restedAt === undefined && this.#violations.length === 0) {
      for (const { property, detail } of findUnrest(this.#core.state, this.#mesos))
        this.#violated(property, detail);
    }
    return {
      seed: this.#seed,
      seconds: (this.#agenda.now - BEGIN) / 1000,
      restSeconds: restedAt === undefined ? undefined : (restedAt - end) / 1000,
      agents: this.#mesos.agents.size,
      apps: this.#core.state.apps.size,
      tasks: this.#core.state.tasks.size,
      waiting: [...this.#core.state.waiting],
      offers: this.#mesos.offerCount,
      scheduler: this.#link.counts,
      faults: faults.counts,
      changes: changes.counts,
      events: this.#events,
      violations: this.#violations,
    };
  }

  /** Runs one action. The simulated Mesos throws if a call of the scheduler breaks the rules. */
  #step(): void {
    try {
      this.#agenda.step();
      this.#link.pump();
    } catch (error) {
      this.#violated('given-once', error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }

  #every(ms: number, act: () => void): void {
    this.#agenda.after(ms, () => {
      act();
      this.#every(ms, act);
    });
  }

  #violated(property: Property, detail: string): void {
    this.#violations.push({ property, detail, at: this.#agenda.now - BEGIN });
  }

  #count(event: StateEvent): void {
    const name =
      event.type === 'task_updated'
        ? event.state
        : event.type === 'deployment_ended'
          ? `deployment ${event.outcome}`
          : event.type;
    this.#events[name] = (this.#events[name] ?? 0) + 1;
  }
}

function agentsOf({ agents }: Scenario): AgentSpec[] {
  let serial = 0;
  return agents.flatMap(({ count, ...spec }) =>
    Array.from({ length: count }, () => {
      serial += 1;
      return { id: `S${serial}`, host: `agent${serial}`, ...spec };
    }),
  );
}
