/** Signs in and out. The session is a cookie that scripts can't read. */

import { api, SHORT } from './live/api.ts';
import { draftAfterSignIn } from './state/draft.ts';
import type { Session } from './state/session.ts';
import { draft, session } from './store.ts';

type Answer = Awaited<ReturnType<typeof ask>>;

/** Finds out who uses the page. @throws ApiError if no scheduler answers */
export async function readSession(): Promise<void> {
  session.value = sessionOf(await ask());
}

/** @throws ApiError if the user or the password is wrong (401), or after too many wrong ones (429) */
export async function signIn(user: string, password: string): Promise<void> {
  const next = sessionOf(await api.call('POST', '/v2/session', { body: { user, password } }));
  draft.value = draftAfterSignIn(draft.peek(), next.state === 'open' ? next.name : '');
  session.value = next;
}

/** @throws ApiError */
export async function signOut(): Promise<void> {
  await api.call('DELETE', '/v2/session');
  draft.value = undefined;
  session.value = { state: 'none', signedOut: true };
}

function ask() {
  return api.call('GET', '/v2/session', {}, SHORT);
}

function sessionOf({ required, user, role }: Answer): Session {
  if (!required) return { state: 'open', name: '', role: 'operator', canSignOut: false };
  if (user === undefined) return { state: 'none' };
  return { state: 'open', name: user, role: role === 'viewer' ? 'viewer' : 'operator', canSignOut: true };
}
