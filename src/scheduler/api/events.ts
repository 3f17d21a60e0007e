/** `GET /v2/events`: server-sent events, in the framing Marathon's clients read. */

import type { ServerResponse } from 'node:http';
import type { ServerEvent } from '../marathon-events.ts';

/** marathon-lb drops streams that are silent for 15 s. */
const KEEP_ALIVE_MS = 10_000;
/** A listener this far behind is cut off; it connects again and reads the state anew. */
const MOST_UNSENT_BYTES = 1 << 20;

export class EventStreams {
  readonly #listeners = new Map<ServerResponse, ReadonlySet<string>>();
  #keepAlive: NodeJS.Timeout | undefined;

  /** @param types the events wanted; none means all */
  attach(response: ServerResponse, types: ReadonlySet<string>): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    response.write(':\n\n');
    this.#listeners.set(response, types);
    response.once('close', () => this.#detach(response));
    this.#keepAlive ??= setInterval(() => this.#send(':\n\n'), KEEP_ALIVE_MS).unref();
  }

  publish(event: ServerEvent): void {
    if (this.#listeners.size === 0) return;
    this.#send(`event: ${event.eventType}\ndata: ${JSON.stringify(event)}\n\n`, event.eventType);
  }

  close(): void {
    for (const response of [...this.#listeners.keys()]) {
      response.end();
      this.#detach(response);
    }
  }

  #send(text: string, type?: string): void {
    for (const [response, types] of this.#listeners) {
      if (type !== undefined && types.size > 0 && !types.has(type)) continue;
      response.write(text);
      if (response.writableLength > MOST_UNSENT_BYTES) response.destroy();
    }
  }

  #detach(response: ServerResponse): void {
    this.#listeners.delete(response);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#keepAlive);
    this.#keepAlive = undefined;
  }
}
