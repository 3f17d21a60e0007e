/** Injects faults of agents, masters, connections and schedulers, with the rates of the scenario. */

import type { Agenda } from './agenda.ts';
import type { AgentSpec } from './agent.ts';
import type { Link } from './link.ts';
import type { SimulatedMesos } from './mesos.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';

/** Duration of a partition; the master notices it after missing pings. */
const PARTITION_MS = [500, 180_000] as const;
const NOTICED_AFTER_MS = 75_000;
/** Time until a lost agent is replaced, and until an agent has registered with a new master. */
const REPLACED_MS = [1000, 60_000] as const;
const REREGISTERED_MS = [100, 15_000] as const;

interface World {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly mesos: SimulatedMesos;
  readonly link: Link;
}

export class Faults {
  readonly counts: Record<string, number> = {};
  readonly #world: World;
  readonly #until: number;
  #calm = false;
  #replacements = 0;

  /** @param until end of the faults in virtual milliseconds */
  constructor(world: World, { faults }: Pick<Scenario, 'faults'>, until: number) {
    this.#world = world;
    this.#until = until;
    this.#schedule('schedulerCrashes', faults.schedulerCrashesPerMinute, () => world.link.crash());
    this.#schedule('leaderFailovers', faults.leaderFailoversPerMinute, () => world.link.failOver());
    this.#schedule('masterFailovers', faults.masterFailoversPerMinute, () => this.#failOverMaster());
    this.#schedule('disconnects', faults.disconnectsPerMinute, () => world.link.break());
    this.#schedule('partitions', faults.partitionsPerMinute, () => this.#partition());
    this.#schedule('agentLosses', faults.agentLossesPerMinute, () => this.#loseAgent());
    this.#schedule('rescinds', faults.rescindsPerMinute, () => world.mesos.rescind());
  }

  /** Ends all faults, and brings unreachable agents back. */
  end(): void {
    this.#calm = true;
    const { mesos } = this.#world;
    for (const id of [...mesos.partitioned, ...mesos.unreachable, ...mesos.awaited]) mesos.bringBack(id);
  }

  #schedule(name: string, perMinute: number, act: () => void): void {
    if (perMinute === 0) return;
    const { agenda, random } = this.#world;
    const next = (): void => {
      const at = agenda.now + random.wait(perMinute);
      if (at >= this.#until) return;
      agenda.at(at, () => {
        this.counts[name] = (this.counts[name] ?? 0) + 1;
        act();
        next();
      });
    };
    next();
  }

  #failOverMaster(): void {
    const { agenda, random, mesos, link } = this.#world;
    mesos.failOver();
    for (const id of mesos.awaited) {
      agenda.after(random.within(REREGISTERED_MS), () => {
        if (mesos.awaited.has(id) && !mesos.partitioned.has(id)) mesos.bringBack(id);
      });
    }
    link.break('another master became the leader');
  }

  #partition(): void {
    const { agenda, random, mesos } = this.#world;
    const id = this.#someAgent();
    if (id === undefined) return;
    const ms = random.within(PARTITION_MS);
    mesos.partitioned.add(id);
    if (ms > NOTICED_AFTER_MS) {
      agenda.after(NOTICED_AFTER_MS, () => {
        if (mesos.partitioned.has(id) && !this.#calm) mesos.lose(id);
      });
    }
    agenda.after(ms, () => {
      if (mesos.partitioned.has(id)) mesos.bringBack(id);
    });
  }

  #loseAgent(): void {
    const { agenda, random, mesos } = this.#world;
    const id = this.#someAgent();
    const agent = mesos.agents.get(id ?? '');
    if (id === undefined || !agent) return;
    // The tasks are gone at once; the master learns it later.
    mesos.partitioned.add(id);
    this.#replacements += 1;
    const spec: AgentSpec = { ...agent.spec, id: `${agent.spec.host}-${this.#replacements}` };
    agenda.after(random.within(REPLACED_MS), () => {
      mesos.remove(id);
      mesos.join(spec);
    });
  }

  #someAgent(): string | undefined {
    const { random, mesos } = this.#world;
    const id = random.pick([...mesos.agents.keys()]);
    return id === undefined || mesos.partitioned.has(id) || mesos.unreachable.has(id) ? undefined : id;
  }
}
