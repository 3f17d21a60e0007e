/** Finds the addresses of agents, which only the leading master knows: offers stop when an agent is full. */

import { text } from 'node:stream/consumers';
import { isJson, parseJson } from '../../json.ts';
import { basicAuthorization, type Credential, messageOf, send } from '../../mesos/http.ts';

/** An agent can't be used: the answer for the client. */
export class AgentError extends Error {
  override name = 'AgentError';
  readonly statusCode: 404 | 502 | 503 | 504;

  constructor(message: string, statusCode: 404 | 502 | 503 | 504) {
    super(message);
    this.statusCode = statusCode;
  }
}

const WITHIN_MS = 10_000;
/** An agent that restarts on another port or address keeps its id. */
const REMEMBERED_MS = 60_000;

export interface AgentAddressesOptions {
  /** @returns `host:port` of a master */
  readonly detect: () => Promise<string>;
  /** The framework's credential, if the masters need one. */
  readonly credential?: Credential;
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
    const { detect, credential } = this.#options;
    let status: number;
    let body: unknown;
    try {
      // Any master redirects to the leading one.
      const url = new URL(`http://${await detect()}/slaves?slave_id=${encodeURIComponent(agentId)}`);
      const answer = await send({
        url,
        method: 'GET',
        ...(credential && { headers: { Authorization: basicAuthorization(credential) } }),
        signal: AbortSignal.timeout(WITHIN_MS),
      });
      status = answer.status;
      body = parseJson(await text(answer.body));
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
