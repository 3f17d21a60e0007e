/** What somebody had typed into the editor when the session ended (pure). */

import type { Json } from '../../json.ts';

export interface Draft {
  /** Nobody else is offered it. */
  readonly user: string;
  /** The address of the editor. */
  readonly place: string;
  /** The definition as JSON; it may be incomplete. */
  readonly text: string;
  /** The definition at the beginning, and its version; undefined for a new app. */
  readonly base: Json;
  readonly version: string | undefined;
}

/** @returns the draft for this user in this editor */
export function draftFor(draft: Draft | undefined, user: string, place: string): Draft | undefined {
  return draft?.user === user && draft.place === place ? draft : undefined;
}

/** @returns the draft after a sign-in: another user's is forgotten */
export function draftAfterSignIn(draft: Draft | undefined, user: string): Draft | undefined {
  return draft?.user === user ? draft : undefined;
}
