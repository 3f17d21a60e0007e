/** Reads the flags of agents over HTTP, without credentials, a few at a time. */

import { readText, send } from '../mesos/http.ts';
import type { Transport } from '../tls/connect.ts';
import type { Input } from './decide/inputs.ts';
import { type AgentFlags, agentFlagsOf } from './domain/agents.ts';
import type { StateEvent } from './domain/events.ts';

/** Requests the flags of an agent. */
export interface AskNotice {
  readonly asking: string;
  readonly url: string;
}

export function askNotice(event: StateEvent): AskNotice | undefined {
  return event.type === 'agent_asked' ? { asking: event.agentId, url: event.url } : undefined;
}

type Answer = Extract<Input, { type: 'agent_answered' }>;

/** Apps wait for the answer. */
const TIMEOUT_MS = 3000;
const CONCURRENT = 50;

export class AgentFlagsReader {
  readonly #report: (answer: Answer) => void;
  readonly #transport: Transport | undefined;
  readonly #stopping = new AbortController();
  /** Requests to make, by agent: an agent that is to be asked again while it waits is asked once. */
  readonly #waiting = new Map<string, AskNotice>();
  #running = 0;

  constructor(report: (answer: Answer) => void, transport?: Transport) {
    this.#report = report;
    this.#transport = transport;
  }

  take(notice: AskNotice): void {
    this.#waiting.set(notice.asking, notice);
    this.#next();
  }

  stop(): void {
    this.#stopping.abort();
    this.#waiting.clear();
  }

  #next(): void {
    if (this.#running >= CONCURRENT) return;
    const [notice] = this.#waiting.values();
    if (!notice) return;
    this.#waiting.delete(notice.asking);
    this.#running += 1;
    void this.#read(notice.url).then((flags) => {
      this.#running -= 1;
      if (this.#stopping.signal.aborted) return;
      this.#report({ type: 'agent_answered', agentId: notice.asking, ...(flags && { flags }) });
      this.#next();
    });
  }

  /** @returns undefined for any answer but the flags, for example if credentials are required */
  async #read(url: string): Promise<AgentFlags | undefined> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      const { status, body } = await send({
        url: new URL(url),
        transport: this.#transport,
        method: 'GET',
        signal,
      });
      const text = await readText(body);
      return status === 200 ? agentFlagsOf(JSON.parse(text)) : undefined;
    } catch {
      return undefined;
    }
  }
}
