/** The state of the connection that brings the events. */

import { signal } from '@preact/signals';

export interface Connection {
  readonly state: 'connecting' | 'live' | 'lost';
  /** Since when, in milliseconds since the epoch. */
  readonly since: number;
}

export const connection = signal<Connection>({ state: 'connecting', since: Date.now() });
/** Increases with each connection: events may have been missed before it. */
export const connections = signal(0);

/** The scheduler writes at least every 10 s. */
const SILENCE_MS = 25_000;
let heard = Date.now();

/** A new attempt to connect: it may take as long as a silence. */
export function streamBegins(): void {
  heard = Date.now();
}

export function streamHeard(): void {
  heard = Date.now();
  if (connection.peek().state === 'live') return;
  connection.value = { state: 'live', since: heard };
  connections.value += 1;
}

export function streamClosed(): void {
  if (connection.peek().state !== 'live') return;
  connection.value = { state: 'lost', since: Date.now() };
}

/** A connection can be dead without an end, for example after the computer has slept. */
export function isSilent(): boolean {
  return Date.now() - heard > SILENCE_MS;
}
