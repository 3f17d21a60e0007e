/**
 * What a master must know of its agents that outlives it. A real master keeps this in the replicated log of its
 * quorum; here it is one JSON document, in a file of `work_dir` or, where masters elect a leader, in a znode beside
 * theirs. It holds no maintenance schedules, quotas and weights, which the embedded master doesn't have.
 */

import type { AgentInfo } from '../../mesos/types.ts';
import type { DrainInfo, Master } from './model.ts';

/** What an operator asked of an agent. */
interface Wishes {
  deactivated?: true;
  drain_info?: DrainInfo;
}

export interface Registry {
  agents: (Wishes & { info: AgentInfo })[];
  /** `since` in milliseconds since the epoch. */
  unreachable: (Wishes & { id: string; since: number })[];
  gone: { id: string; since: number }[];
}

/** `registry_max_agent_age`: unreachable and gone agents are forgotten after that. */
const MAX_AGE_MS = 14 * 86_400_000;

/** Where a registry is kept; the edges are in registry-store.ts. */
export interface RegistryStore {
  /** Undefined where nothing was ever kept. */
  load(): Promise<Registry | undefined>;
  /** @throws where another master has written meanwhile, too: this one leads no more */
  save(registry: Registry): Promise<void>;
}

/** The registry as it should be now. */
export function registryOf(master: Master): Registry {
  const wishes = (id: string): Wishes => {
    const drain_info = master.draining.get(id);
    return {
      ...(master.deactivated.has(id) ? { deactivated: true as const } : {}),
      ...(drain_info ? { drain_info } : {}),
    };
  };
  const infos = [...master.recoveredAgents.values(), ...[...master.agents.values()].map((a) => a.info)];
  return {
    agents: infos.map((info) => ({ info, ...wishes(info.id?.value ?? '') })),
    unreachable: [...master.unreachableAgents].map(([id, since]) => ({ id, since, ...wishes(id) })),
    gone: [...master.gone].map(([id, since]) => ({ id, since })),
  };
}

/** Takes over what the master before this one knew. */
export function recoverRegistry(master: Master, registry: Registry): void {
  const oldest = master.ports.now() - MAX_AGE_MS;
  const take = (id: string, { deactivated, drain_info }: Wishes) => {
    if (deactivated) master.deactivated.add(id);
    if (drain_info) master.draining.set(id, drain_info);
  };
  for (const agent of registry.agents) {
    const id = agent.info.id?.value ?? '';
    master.recoveredAgents.set(id, agent.info);
    take(id, agent);
  }
  for (const agent of registry.unreachable.filter((a) => a.since > oldest)) {
    master.unreachableAgents.set(agent.id, agent.since);
    take(agent.id, agent);
  }
  for (const { id, since } of registry.gone.filter((a) => a.since > oldest)) master.gone.set(id, since);
  master.ports.log(`Recovered ${registry.agents.length} agents from the registry`);
}

/** Writes the registry whenever it differs from what is kept, one write at a time. */
export class Registrar {
  readonly #store: RegistryStore;
  readonly #current: () => Registry;
  /** What is kept by now, as text. */
  #kept: string;
  #last: Promise<void> = Promise.resolve();
  /** The write that has not begun yet, for all who ask for one meanwhile. */
  #next: Promise<void> | undefined;

  /** @param current gives the registry to keep, at the moment of writing. @param kept what the store holds */
  constructor(store: RegistryStore, current: () => Registry, kept: Registry | undefined) {
    this.#store = store;
    this.#current = current;
    this.#kept = JSON.stringify(kept);
  }

  /** Resolves once what is current now is kept. @throws the store's error */
  save(): Promise<void> {
    if (this.#next) return this.#next;
    const next = this.#last.then(() => {
      this.#next = undefined;
      return this.#write();
    });
    this.#next = next;
    this.#last = next.catch(() => {});
    return next;
  }

  async #write(): Promise<void> {
    const registry = this.#current();
    const text = JSON.stringify(registry);
    if (text === this.#kept) return;
    await this.#store.save(registry);
    this.#kept = text;
  }
}
