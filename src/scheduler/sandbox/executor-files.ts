/** Reads files of a task through its executor, by messages. */

import { randomUUID } from 'node:crypto';
import { encodeFilesRequest, type FilesRequest, type Found, readFilesAnswer } from '../../exec/files.ts';
import { isFrom, type MessageCall, type MessageEvent, messageTo } from '../executor-message.ts';
import { AgentError } from './agent-addresses.ts';

export interface Executor {
  readonly agentId: string;
  /** Names the agent in errors. */
  readonly host: string;
  readonly executorId: string;
}

interface Waiting {
  readonly executor: Executor;
  readonly take: (found: Found) => void;
}

const AGAIN_MS = 1000;
const WITHIN_MS = 10_000;

export class ExecutorFiles {
  /** Sends a MESSAGE, which may be lost. */
  readonly #send: (call: MessageCall) => Promise<void>;
  readonly #withinMs: number;
  readonly #waiting = new Map<string, Waiting>();

  constructor(send: (call: MessageCall) => Promise<void>, withinMs = WITHIN_MS) {
    this.#send = send;
    this.#withinMs = withinMs;
  }

  /** @throws AgentError if the executor does not answer */
  async read(executor: Executor, request: Omit<FilesRequest, 'id'>): Promise<Found> {
    const id = randomUUID();
    const { executorId, host } = executor;
    const call = messageTo(executor, encodeFilesRequest({ ...request, id }));
    const { promise, resolve, reject } = Promise.withResolvers<Found>();
    this.#waiting.set(id, { executor, take: resolve });
    // Repeated, so a failure needs no other reaction.
    const ask = (): void => void this.#send(call).catch(() => {});
    const again = setInterval(ask, AGAIN_MS);
    const late = setTimeout(() => {
      const message = `The executor ${executorId} on ${host} did not answer within ${this.#withinMs / 1000} s: it has ended, the agent is unreachable, or it is of an older release`;
      reject(new AgentError(message, 504));
    }, this.#withinMs);
    ask();
    try {
      return await promise;
    } finally {
      clearInterval(again);
      clearTimeout(late);
      this.#waiting.delete(id);
    }
  }

  takeMessage(event: MessageEvent): void {
    const answer = readFilesAnswer(event.message.data);
    const waiting = this.#waiting.get(answer?.id ?? '');
    if (answer && waiting && isFrom(event, waiting.executor)) waiting.take(answer.found);
  }
}
