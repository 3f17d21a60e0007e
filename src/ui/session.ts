/** Signs in and out. The session is a cookie that scripts can't read. */

import { refusalOf } from '../client/api-error.ts';
import { isJson, parseJson } from '../json.ts';
import { api, SHORT } from './live/api.ts';
import { session } from './store.ts';

const PATH = '/v2/session';

/** Finds out who uses the page. @throws ApiError if no scheduler answers */
export async function readSession(): Promise<void> {
  const response = await api.send({ method: 'GET', path: PATH, ...SHORT });
  if (response.status === 401) session.value = { state: 'none' };
  else if (response.ok) open(await response.text());
  else throw refusalOf(api.url, response.status, await response.text());
}

/** @throws ApiError if user or password are wrong */
export async function signIn(user: string, password: string): Promise<void> {
  const response = await api.send({ method: 'POST', path: PATH, body: JSON.stringify({ user, password }) });
  const text = await response.text();
  if (!response.ok) throw refusalOf(api.url, response.status, text);
  open(text);
}

/** @throws ApiError */
export async function signOut(): Promise<void> {
  const response = await api.send({ method: 'DELETE', path: PATH });
  if (!response.ok && response.status !== 401)
    throw refusalOf(api.url, response.status, await response.text());
  session.value = { state: 'none' };
}

function open(text: string): void {
  const json = parseJson(text);
  const { name, role, session: own } = isJson(json) ? json : {};
  session.value = {
    state: 'open',
    name: typeof name === 'string' ? name : '',
    role: role === 'viewer' ? 'viewer' : 'operator',
    canSignOut: own !== false && typeof name === 'string',
  };
}
