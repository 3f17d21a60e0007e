/** `GET /v2/events`: server-sent events, in the format that Marathon's clients read. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { withoutEnvironment } from '../viewer-json.ts';
import type { ServerEvent } from './event-schemas.ts';

/** marathon-lb drops streams that are silent for 15 s. */
const KEEP_ALIVE_MS = 10_000;
/** A listener with more unsent data is disconnected; it reconnects and resumes, or reads the state again. */
const MAX_UNSENT_BYTES = 1 << 20;
/** Limits of the events that are kept for listeners that reconnect. */
const MAX_KEPT = 10_000;
const MAX_KEPT_CHARACTERS = 4 << 20;

export interface Wanted {
  /** Empty for all types. */
  readonly types: ReadonlySet<string>;
  /** Leaves the states before and after out of plans. */
  readonly light: boolean;
  /** Hides values of environment variables. */
  readonly isViewer: boolean;
  /** The last event received with an earlier connection. */
  readonly lastEventId?: string;
}

interface Listener extends Wanted {
  /** More than `MAX_UNSENT_BYTES` by the missed events, which were sent all at once. */
  readonly maxUnsent: number;
}

interface Kept {
  readonly id: string;
  readonly type: string;
  readonly text: string;
  /** Present if it differs from `text`. */
  readonly lightText?: string;
  /** Present if it differs from `text`. */
  readonly viewersText?: string;
}

export class EventStreams {
  readonly #listeners = new Map<ServerResponse, Listener>();
  readonly #kept: Kept[] = [];
  #keptCharacters = 0;
  #published = 0;
  #keepAlive: NodeJS.Timeout | undefined;
  readonly #now: () => number;
  /** Distinguishes this scheduler's events from those of an earlier process. */
  readonly #series: string;

  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#series = now().toString(36);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  attach({ socket }: IncomingMessage, response: ServerResponse, wanted: Wanted): void {
    // The client has left while its password was checked: no 'close' event would come.
    if (response.destroyed) return;
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    response.write(':\n\n');
    for (const text of this.#missedEvents(wanted)) response.write(text);
    this.#listeners.set(response, { ...wanted, maxUnsent: response.writableLength + MAX_UNSENT_BYTES });
    const remoteAddress = socket.remoteAddress ?? '';
    response.once('close', () => this.#detach(response, remoteAddress));
    this.#keepAlive ??= setInterval(() => this.#write(':\n\n'), KEEP_ALIVE_MS).unref();
    this.#publishListener('event_stream_attached', remoteAddress);
  }

  publish(event: ServerEvent): void {
    this.#published += 1;
    const id = `${this.#series}-${this.#published}`;
    const framed = (json: string) => `event: ${event.eventType}\ndata: ${json}\nid: ${id}\n\n`;
    const json = JSON.stringify(event);
    const light = toLight(event);
    const forViewers = withoutEnvironment(json);
    const kept: Kept = {
      id,
      type: event.eventType,
      text: framed(json),
      ...(light && { lightText: framed(JSON.stringify(light)) }),
      ...(forViewers !== json && { viewersText: framed(forViewers) }),
    };
    this.#keep(kept);
    for (const [response, listener] of this.#listeners) {
      if (matchesType(kept, listener)) this.#send(response, listener, textFor(kept, listener));
    }
  }

  close(): void {
    for (const response of [...this.#listeners.keys()]) {
      this.#listeners.delete(response);
      response.end();
    }
    this.#stopKeepAlive();
  }

  #keep(event: Kept): void {
    this.#kept.push(event);
    this.#keptCharacters += event.text.length;
    while (this.#kept.length > MAX_KEPT || this.#keptCharacters > MAX_KEPT_CHARACTERS) {
      const dropped = this.#kept.shift();
      if (!dropped) return;
      this.#keptCharacters -= dropped.text.length;
    }
  }

  /** @returns the events that a listener has missed, or a comment if they are not kept any more */
  #missedEvents(wanted: Wanted): string[] {
    const { lastEventId } = wanted;
    if (lastEventId === undefined) return [];
    const at = this.#kept.findLastIndex(({ id }) => id === lastEventId);
    if (at < 0) return [': events since Last-Event-ID are no longer available: read the state again\n\n'];
    return this.#kept
      .slice(at + 1)
      .filter((event) => matchesType(event, wanted))
      .map((event) => textFor(event, wanted));
  }

  #publishListener(
    eventType: 'event_stream_attached' | 'event_stream_detached',
    remoteAddress: string,
  ): void {
    this.publish({ remoteAddress, eventType, timestamp: new Date(this.#now()).toISOString() });
  }

  #write(text: string): void {
    for (const [response, listener] of this.#listeners) this.#send(response, listener, text);
  }

  #send(response: ServerResponse, { maxUnsent }: Listener, text: string): void {
    response.write(text);
    if (response.writableLength > maxUnsent) response.destroy();
  }

  #detach(response: ServerResponse, remoteAddress: string): void {
    if (!this.#listeners.delete(response)) return;
    if (this.#listeners.size === 0) this.#stopKeepAlive();
    this.#publishListener('event_stream_detached', remoteAddress);
  }

  #stopKeepAlive(): void {
    clearInterval(this.#keepAlive);
    this.#keepAlive = undefined;
  }
}

function matchesType({ type }: Kept, { types }: Wanted): boolean {
  return types.size === 0 || types.has(type);
}

/** Plans contain no environment, so no event has both other texts. */
function textFor({ text, lightText, viewersText }: Kept, { light, isViewer }: Wanted): string {
  return (isViewer ? viewersText : undefined) ?? (light ? lightText : undefined) ?? text;
}

/** Source: Marathon's `plan-format=light`. */
function toLight(event: ServerEvent): ServerEvent | undefined {
  if (!('plan' in event)) return undefined;
  const { original: _original, target: _target, ...light } = event.plan;
  return { ...event, plan: light };
}
