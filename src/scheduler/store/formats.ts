/** Reads events that any release has stored; errors name the release to run if this one can't read them. */

import { isJson } from '../../json.ts';
import { RELEASE } from '../../release.ts';
import type { StoredEvent } from '../domain/events.ts';
import { readEvent, UnreadableEventError } from '../domain/stored-events.ts';

/** Reads the next events of a store. */
type EventReader = (stored: readonly unknown[]) => StoredEvent[];

/**
 * @param refuse creates the error; its argument is worded to follow the name of the store
 * @throws the error that `refuse` creates
 */
export function readEvents(stored: readonly unknown[], refuse: (why: string) => Error): StoredEvent[] {
  return eventReader(refuse)(stored);
}

/** Like `readEvents`, for a store that is read in parts. */
export function eventReader(refuse: (why: string) => Error): EventReader {
  let writer: string | undefined;
  const read = (one: unknown): StoredEvent => {
    try {
      const event = readEvent(one);
      if (event.type === 'release_changed') writer = event.release;
      return event;
    } catch (error) {
      if (!(error instanceof UnreadableEventError)) throw error;
      throw refuse(
        `contains ${error.message}, which mesosup ${RELEASE} can't read: ${releaseAdvice(writer)}`,
      );
    }
  };
  return (stored) => stored.map(read);
}

/** Describes an unexpected head, in parentheses, and what to do. Heads of later formats name their `release`. */
export function describeHeadProblem(head: unknown, expected: { readonly version: number }): string {
  const { version, release } = isJson(head) ? head : {};
  const found = typeof version === 'number' ? `it has version ${version}, ` : '';
  const known = typeof release === 'string' ? release : undefined;
  return `(${found}mesosup ${RELEASE} reads version ${expected.version}): ${releaseAdvice(known)}`;
}

/** @param writer the release that wrote the state, if known */
function releaseAdvice(writer: string | undefined): string {
  // Naming this release would not help: it wrote the state and can't read it.
  if (writer === undefined || writer === RELEASE) return 'run the release of mesosup that wrote it';
  return `run mesosup ${writer}, which wrote it`;
}
