/** Reads what any release has stored, and says which release to run where this one can't. */

import { RELEASE } from '../../release.ts';
import type { StoredEvent } from '../domain/events.ts';
import { isJson } from '../domain/json.ts';
import { readEvent, UnreadableEventError } from '../domain/stored-events.ts';

/**
 * @param refuse makes the error for what can't be read, of a text that follows the name of the place
 * @throws what `refuse` makes
 */
export function readEvents(stored: readonly unknown[], refuse: (why: string) => Error): StoredEvent[] {
  let writer: string | undefined;
  return stored.map((one) => {
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
  });
}

/** Why a head is not the expected one, in brackets, and what to do. Heads of later formats name their `release`. */
export function describeHeadProblem(head: unknown, expected: { readonly version: number }): string {
  const { version, release } = isJson(head) ? head : {};
  const found = typeof version === 'number' ? `it has version ${version}, ` : '';
  const known = typeof release === 'string' ? release : undefined;
  return `(${found}mesosup ${RELEASE} reads version ${expected.version}): ${releaseAdvice(known)}`;
}

/** @param writer the release that wrote the state, where that is known */
function releaseAdvice(writer: string | undefined): string {
  // A state that this release wrote and can't read says nothing of releases.
  if (writer === undefined || writer === RELEASE) return 'run the release of mesosup that wrote it';
  return `run mesosup ${writer}, which wrote it`;
}
