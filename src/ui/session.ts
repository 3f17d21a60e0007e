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

/**
 * Finds out whether the session of the browser is still that of the page: another page may have signed in somebody else
 * meanwhile. Then the page begins again. @throws ApiError, and the reason of the signal
 */
export async function checkSession(signal: AbortSignal): Promise<void> {
  const found = sessionOf(await ask(signal));
  signal.throwIfAborted();
  if (found.state === 'none') session.value = found;
  else if (JSON.stringify(found) !== JSON.stringify(session.peek())) session.value = { state: 'unknown' };
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

function ask(signal?: AbortSignal) {
  return api.call('GET', '/v2/session', {}, { ...SHORT, ...(signal && { signal }) });
}

function sessionOf({ required, user, role }: Answer): Session {
  if (!required) return { state: 'open', name: '', role: 'operator', canSignOut: false };
  if (user === undefined) return { state: 'none' };
  return { state: 'open', name: user, role: role === 'viewer' ? 'viewer' : 'operator', canSignOut: true };
}
