/** Events of the scheduler, as the page keeps them (pure). */

import { appsOfEvent, eventText } from '../../apps/event-text.ts';
import type { Json } from '../../json.ts';

export interface LiveEvent {
  readonly id: string;
  readonly type: string;
  readonly time: string;
  /** The apps that it is about. */
  readonly apps: readonly string[];
  readonly json: Json;
  /** Of its text. */
  readonly characters: number;
}

const MAX_EVENTS = 1000;
/** Events of large deployments and definitions have megabytes. */
const MAX_CHARACTERS = 8 << 20;

/** @param characters of its text */
export function liveEvent(
  type: string,
  id: string,
  json: Json,
  characters = JSON.stringify(json).length,
): LiveEvent {
  const definition = json.appDefinition as Json | undefined;
  const apps = typeof definition?.id === 'string' ? [definition.id] : appsOfEvent(json);
  return { id, type, time: String(json.timestamp), apps, json, characters };
}

/** The last events. After a lost connection, an event may come again. */
export function addEvent(before: readonly LiveEvent[], added: readonly LiveEvent[]): readonly LiveEvent[] {
  const known = new Set(before.slice(-MAX_EVENTS).map(({ id }) => id));
  const all = [...before, ...added.filter(({ id }) => !known.has(id))].slice(-MAX_EVENTS);
  let left = MAX_CHARACTERS;
  let from = all.length;
  while (from > 0) {
    left -= all[from - 1]?.characters ?? 0;
    if (left < 0) break;
    from -= 1;
  }
  return all.slice(Math.min(from, all.length - 1));
}

/** What the event is about, in a line without its time and type. */
export function aboutText({ json }: LiveEvent): string {
  return eventText(json).split('  ').slice(2).join('  ');
}

/** @param filter words that must all occur in the type or the content */
export function matchesEvent(event: LiveEvent, filter: string): boolean {
  const text = `${event.type} ${aboutText(event)}`.toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
