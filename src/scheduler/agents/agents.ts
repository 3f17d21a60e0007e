/** Asks the leading master for the agents: at most once in two seconds, however many people look at them. */

import { askMaster, type MasterAccess } from '../ask-master.ts';
import { agentsIn, type ListedAgent, listAgents, type Seen, withAnswer } from './agent-list.ts';

const FRESH_MS = 2000;

export interface AgentsOptions extends MasterAccess {
  readonly now: () => number;
}

interface AgentsRead {
  readonly agents: readonly ListedAgent[];
  /** When the master was asked. */
  readonly at: number;
  /** Why the master's agents are unknown. */
  readonly problem?: string;
}

interface Reading {
  readonly at: number;
  readonly seen: Seen;
  readonly problem?: string;
}

export class Agents {
  readonly #options: AgentsOptions;
  #reading: Promise<Reading> | undefined;
  /** Until when the reading is used. */
  #freshUntil = 0;
  #seen: Seen = new Map();

  constructor(options: AgentsOptions) {
    this.#options = options;
  }

  /** Tells whether an agent exists, of which the master may have heard just now. @returns a text if the master can't be asked */
  async has(id: string, withTasks: ReadonlyMap<string, string>): Promise<boolean | string> {
    const isIn = ({ agents }: AgentsRead) => agents.some((one) => one.id === id);
    if (isIn(await this.list(withTasks))) return true;
    this.#freshUntil = Math.min(this.#freshUntil, this.#options.now());
    const read = await this.list(withTasks);
    return isIn(read) || (read.problem ?? false);
  }

  /** @param withTasks agents of the scheduler's tasks and reservations: ids with host names */
  async list(withTasks: ReadonlyMap<string, string>): Promise<AgentsRead> {
    if (!this.#reading || this.#options.now() >= this.#freshUntil) {
      this.#freshUntil = Number.POSITIVE_INFINITY;
      this.#reading = this.#read();
    }
    const { at, seen, problem } = await this.#reading;
    const answered = problem === undefined ? at : undefined;
    const agents = listAgents(seen, answered, withTasks);
    return { agents, at, ...(problem !== undefined && { problem }) };
  }

  async #read(): Promise<Reading> {
    const at = this.#options.now();
    const problem = await this.#ask(at);
    this.#freshUntil = this.#options.now() + FRESH_MS;
    return { at, seen: this.#seen, ...(problem !== undefined && { problem }) };
  }

  /** @returns why the agents are not known */
  async #ask(at: number): Promise<string | undefined> {
    try {
      const { status, body } = await askMaster(this.#options, '/slaves');
      const found = status === 200 ? agentsIn(body) : undefined;
      if (!found) return `The Mesos master answered ${status} when asked for its agents`;
      this.#seen = withAnswer(this.#seen, found, at);
      return undefined;
    } catch (error) {
      return `The Mesos master can't be asked for its agents: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}
