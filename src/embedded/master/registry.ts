/**
 * The stored information about agents. A real master stores it in the replicated log of its quorum; the embedded master
 * stores one JSON document, in a file of `work_dir` or, with an election, in a znode beside the masters'. It has no
 * maintenance schedules, quotas and weights, which the embedded master doesn't implement.
 */

import type { AgentInfo } from '../../mesos/types.ts';
import type { DrainInfo, Master } from './model.ts';

/** An operator's settings for an agent. */
interface OperatorSettings {
  deactivated?: true;
  drain_info?: DrainInfo;
}

export interface Registry {
  agents: (OperatorSettings & { info: AgentInfo })[];
  /** `since` in milliseconds since the epoch. */
  unreachable: (OperatorSettings & { id: string; since: number })[];
  gone: { id: string; since: number }[];
}

/** `registry_max_agent_age`: unreachable and gone agents are deleted after that time. */
const MAX_AGE_MS = 14 * 86_400_000;

/** Stores a registry. The implementations are in registry-store.ts. */
export interface RegistryStore {
  /** Undefined if no registry was ever stored. */
  load(): Promise<Registry | undefined>;
  /** @throws also if another master has written in the meantime, so that this one no longer leads */
  save(registry: Registry): Promise<void>;
}

/** Builds the current registry. */
export function registryOf(master: Master): Registry {
  const settings = (id: string): OperatorSettings => {
    const drain_info = master.draining.get(id);
    return {
      ...(master.deactivated.has(id) ? { deactivated: true as const } : {}),
      ...(drain_info ? { drain_info } : {}),
    };
  };
  const infos = [...master.recoveredAgents.values(), ...[...master.agents.values()].map((a) => a.info)];
  return {
    agents: infos.map((info) => ({ info, ...settings(info.id?.value ?? '') })),
    unreachable: [...master.unreachableAgents].map(([id, since]) => ({ id, since, ...settings(id) })),
    gone: [...master.gone].map(([id, since]) => ({ id, since })),
  };
}

/** Restores the registry of the previous leader. */
export function recoverRegistry(master: Master, registry: Registry): void {
  const oldest = master.ports.now() - MAX_AGE_MS;
  const take = (id: string, { deactivated, drain_info }: OperatorSettings) => {
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

/** Writes the registry if it differs from the stored one, one write at a time. */
export class Registrar {
  readonly #store: RegistryStore;
  readonly #current: () => Registry;
  /** The stored registry as text. */
  #kept: string;
  #last: Promise<void> = Promise.resolve();
  /** The next write, which has not started yet, shared by all requests until then. */
  #next: Promise<void> | undefined;

  /** @param current returns the registry at the time of writing. @param kept the stored registry */
  constructor(store: RegistryStore, current: () => Registry, kept: Registry | undefined) {
    this.#store = store;
    this.#current = current;
    this.#kept = JSON.stringify(kept);
  }

  /** Resolves when the current registry is stored. @throws the store's error */
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
