/** `GET /v2/events`: server-sent events, in the format that Marathon's clients read. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Pace } from '../../pace.ts';
import { withoutEnvironment } from '../viewer-json.ts';
import type { ServerEvent } from './event-schemas.ts';

/** marathon-lb drops streams that are silent for 15 s. */
const KEEP_ALIVE_MS = 10_000;
/** Limits of the events that are kept for listeners that reconnect, or that read slowly. */
const MAX_KEPT = 10_000;
const MAX_KEPT_CHARACTERS = 4 << 20;
/** Written to a listener at once. */
const MAX_WRITE_CHARACTERS = 1 << 18;

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
  /** Number of the next event to send. */
  next: number;
  /** Equal for listeners that get the same texts. */
  readonly kind: string;
}

/** The events that a listener gets at once. */
interface Lot {
  readonly bytes: Buffer;
  /** Number of the first event after them. */
  readonly end: number;
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

/**
 * Listeners read from the same list of events, each at its own position. Events are sent in rounds: a round encodes new
 * events once for all listeners and sends them to each in one write. So with many listeners, more events cost no more
 * writes, and other work goes on in between. A listener that is too slow for the list is disconnected; it reconnects
 * and reads the state again.
 */
export class EventStreams {
  readonly #listeners = new Map<ServerResponse, Listener>();
  readonly #kept: Kept[] = [];
  #keptCharacters = 0;
  /** Number of the first event that is kept. */
  #first = 0;
  #sending: Promise<void> | undefined;
  /** True if a listener may be sent something. */
  #due = false;
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
    const next = this.#resumeAt(wanted);
    if (next === undefined)
      response.write(': events since Last-Event-ID are no longer available: read the state again\n\n');
    const { types, light, isViewer } = wanted;
    const kind = JSON.stringify([[...types].sort(), light, isViewer]);
    this.#listeners.set(response, { ...wanted, kind, next: next ?? this.#end });
    const remoteAddress = socket.remoteAddress ?? '';
    response.once('close', () => this.#detach(response, remoteAddress));
    response.on('drain', () => this.#wake());
    this.#keepAlive ??= setInterval(() => void this.#keepAllAlive(), KEEP_ALIVE_MS).unref();
    this.#publishListener('event_stream_attached', remoteAddress);
  }

  publish(event: ServerEvent): void {
    const id = `${this.#series}-${this.#end + 1}`;
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
    this.#kept.push(kept);
    this.#keptCharacters += kept.text.length;
    this.#wake();
  }

  close(): void {
    const lots = new Map<string, Lot>();
    for (const [response, listener] of this.#listeners) {
      this.#listeners.delete(response);
      this.#catchUp(response, listener, lots);
      response.end();
    }
    this.#stopKeepAlive();
  }

  /** Number of the next event to be published. */
  get #end(): number {
    return this.#first + this.#kept.length;
  }

  /** @returns the number of the first event that a listener has missed; undefined if it is not kept any more */
  #resumeAt({ lastEventId }: Wanted): number | undefined {
    if (lastEventId === undefined) return this.#end;
    const at = this.#kept.findLastIndex(({ id }) => id === lastEventId);
    return at < 0 ? undefined : this.#first + at + 1;
  }

  #wake(): void {
    this.#due = true;
    this.#sending ??= this.#sendRounds().finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendRounds(): Promise<void> {
    // Waits for the other events of this turn of the event loop, so that they are sent together.
    await Promise.resolve();
    const pace = new Pace();
    while (this.#due) {
      this.#due = false;
      const end = this.#end;
      const lots = new Map<string, Lot>();
      for (const [response, listener] of this.#listeners) {
        this.#catchUp(response, listener, lots);
        await pace.pause();
      }
      this.#forgetBefore(end);
    }
  }

  #catchUp(response: ServerResponse, listener: Listener, lots: Map<string, Lot>): void {
    if (listener.next < this.#first) {
      response.destroy();
      return;
    }
    // The event 'drain' wakes it again.
    if (listener.next === this.#end || response.writableNeedDrain) return;
    const key = `${listener.next} ${listener.kind}`;
    const lot = lots.get(key) ?? this.#lotFor(listener);
    lots.set(key, lot);
    listener.next = lot.end;
    if (lot.bytes.length > 0) response.write(lot.bytes);
    if (lot.end < this.#end) this.#due = true;
  }

  #lotFor(listener: Listener): Lot {
    let text = '';
    let end = listener.next;
    while (end < this.#end && text.length < MAX_WRITE_CHARACTERS) {
      const event = this.#kept[end - this.#first];
      if (event && matchesType(event, listener)) text += textFor(event, listener);
      end += 1;
    }
    return { bytes: Buffer.from(text), end };
  }

  /** Keeps to the limits, but all events that listeners could not be sent yet. */
  #forgetBefore(end: number): void {
    while (
      this.#first < end &&
      (this.#kept.length > MAX_KEPT || this.#keptCharacters > MAX_KEPT_CHARACTERS)
    ) {
      this.#keptCharacters -= this.#kept.shift()?.text.length ?? 0;
      this.#first += 1;
    }
  }

  #publishListener(
    eventType: 'event_stream_attached' | 'event_stream_detached',
    remoteAddress: string,
  ): void {
    this.publish({ remoteAddress, eventType, timestamp: new Date(this.#now()).toISOString() });
  }

  async #keepAllAlive(): Promise<void> {
    const pace = new Pace();
    for (const response of this.#listeners.keys()) {
      if (!response.writableNeedDrain) response.write(':\n\n');
      await pace.pause();
    }
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
