/** Finds the addresses of agents, which only the leading master knows: offers stop when an agent is full. */

import { isJson } from '../../json.ts';
import { messageOf } from '../../mesos/http.ts';
import { askMaster, type MasterAccess } from '../ask-master.ts';

/** An agent can't be used: the answer for the client. */
export class AgentError extends Error {
  override name = 'AgentError';
  readonly statusCode: 404 | 502 | 503 | 504;

  constructor(message: string, statusCode: 404 | 502 | 503 | 504) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** An agent that restarts on another port or address keeps its id. */
const REMEMBERED_MS = 60_000;

export interface AgentAddressesOptions extends MasterAccess {
  readonly now: () => number;
}

export class AgentAddresses {
  readonly #options: AgentAddressesOptions;
  readonly #known = new Map<string, { readonly address: string; readonly at: number }>();

  constructor(options: AgentAddressesOptions) {
    this.#options = options;
  }

  /** @returns `host:port` @throws AgentError */
  async addressOf(agentId: string): Promise<string> {
    const { now } = this.#options;
    const known = this.#known.get(agentId);
    if (known && now() - known.at < REMEMBERED_MS) return known.address;
    const address = await this.#ask(agentId);
    this.#known.set(agentId, { address, at: now() });
    return address;
  }

  /** To be called when an agent does not answer at its address. */
  forget(agentId: string): void {
    this.#known.delete(agentId);
  }

  async #ask(agentId: string): Promise<string> {
    let status: number;
    let body: unknown;
    try {
      ({ status, body } = await askMaster(this.#options, `/slaves?slave_id=${encodeURIComponent(agentId)}`));
    } catch (error) {
      throw new AgentError(
        `The Mesos master can't be asked for the agent's address: ${messageOf(error)}`,
        502,
      );
    }
    if (status !== 200) {
      throw new AgentError(`The Mesos master answered ${status} when asked for the agent's address`, 502);
    }
    const agents = isJson(body) && Array.isArray(body.slaves) ? body.slaves.filter(isJson) : [];
    // `slave(1)@10.0.0.1:5051`
    const pid = agents.find(({ id }) => id === agentId)?.pid;
    const address = /@(\S+:\d+)$/.exec(String(pid))?.[1];
    if (address !== undefined) return address;
    throw new AgentError(`The agent ${agentId} is not connected to the Mesos master`, 502);
  }
}
