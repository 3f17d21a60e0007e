/** Brings the scheduler's state into the store: one load, and then what events say has changed. */

import { effect, untracked } from '@preact/signals';
import { APP_FIELDS } from '../../apps/app-fields.ts';
import { isJson, parseJson } from '../../json.ts';
import { checkSession } from '../session.ts';
import { appsAfter, COUNT_FIELDS, deploymentsEnded, withApp, withApps, withCounts } from '../state/apps.ts';
import { addEvent, type LiveEvent, liveEvent } from '../state/events.ts';
import { apps, deployments, ended, events, forget, isLoaded, loadError, session } from '../store.ts';
import { api, errorText, isStatus, SHORT } from './api.ts';
import { connections, isSilent, streamBegins, streamClosed } from './stream.ts';

const RETRY_MS = 1000;
/** Several events of one change come together. */
const GATHER_MS = 30;
/** With more changed apps than these, the list costs less than each of them. */
const MAX_SINGLE = 6;
/** A list of all apps is requested at most this often. */
const LIST_MS = 1000;
const WATCH_MS = 2000;
/** New events are shown this often; more often nobody could read them. */
const SHOW_MS = 100;

type Listener = (event: LiveEvent) => void;
const listeners = new Set<Listener>();

/** @returns a function that ends it */
export function onEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The session has ended, or there was none. */
export function signedOut(error: unknown): boolean {
  if (!isStatus(error, 401)) return false;
  session.value = { state: 'none' };
  return true;
}

const changed = new Set<string>();
let needsAll = true;
let needsDeployments = true;
let requests = 0;
let isRunning = false;
let listedAt = 0;
/** Aborts when the session of the current feed ends: what was requested before is not for the next user. */
let stopped = AbortSignal.abort();

/** Starts after the sign-in, and runs until the page is closed or the session ends. */
export function startFeed(): () => void {
  const stop = new AbortController();
  stopped = stop.signal;
  const first = connections.peek() + 1;
  const stopEffects = effect(() => {
    const count = connections.value;
    // After each new connection, events may have been missed.
    untracked(() => request({ all: true }));
    // The end of a session ends the connection, and the next one may have the cookie of somebody else.
    if (count > first) untracked(() => void checkSession(stop.signal).catch(() => {}));
  });
  void listen(stopped);
  return () => {
    stopEffects();
    stop.abort();
    restart();
    forget();
  };
}

/** Lets the next feed read everything. */
function restart(): void {
  changed.clear();
  needsAll = true;
  needsDeployments = true;
  isRunning = false;
  unshown = [];
}

async function listen(own: AbortSignal): Promise<void> {
  while (!own.aborted) {
    streamBegins();
    const silent = new AbortController();
    const watch = setInterval(
      () => isSilent() && silent.abort(new Error('the connection is silent')),
      WATCH_MS,
    );
    const limits = { ...SHORT, signal: AbortSignal.any([own, silent.signal]) };
    try {
      for await (const { type, data, id } of api.events(
        '/v2/events',
        { query: { 'plan-format': 'light' } },
        limits,
      )) {
        const json = parseJson(data);
        if (isJson(json)) take(liveEvent(type, id, json, data.length));
      }
    } catch (error) {
      if (own.aborted || signedOut(error)) return;
    } finally {
      clearInterval(watch);
      streamClosed();
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

let unshown: LiveEvent[] = [];

function take(event: LiveEvent): void {
  if (unshown.length === 0) setTimeout(showEvents, SHOW_MS);
  unshown.push(event);
  for (const listener of listeners) listener(event);
  if (event.type === 'app_terminated_event') apps.value = appsAfter(apps.peek(), event.apps);
  const isDeployment = event.type.startsWith('deployment_');
  if (isDeployment) ended.value = deploymentsEnded(ended.peek(), event);
  if (event.apps.length === 0 && !isDeployment) return;
  request({ apps: event.apps, deployments: isDeployment });
}

function showEvents(): void {
  events.value = addEvent(events.peek(), unshown);
  unshown = [];
}

function request(what: { apps?: readonly string[]; all?: boolean; deployments?: boolean }): void {
  for (const id of what.apps ?? []) changed.add(id);
  needsAll ||= what.all ?? false;
  needsDeployments ||= (what.all || what.deployments) ?? false;
  requests += 1;
  if (!isRunning) void refresh();
}

/** Reads what has changed, again and again until nothing has. */
async function refresh(): Promise<void> {
  isRunning = true;
  const own = stopped;
  try {
    for (let seen = -1; seen !== requests; ) {
      // Somebody waits for the first view.
      if (isLoaded.peek()) await pause(GATHER_MS, own);
      seen = requests;
      await Promise.all([readApps(own), readDeployments(own)]);
      loadError.value = undefined;
    }
  } catch (error) {
    if (!own.aborted && !signedOut(error)) {
      loadError.value = errorText(error);
      needsAll = true;
      needsDeployments = true;
      setTimeout(() => own.aborted || request({ all: true }), RETRY_MS * 2);
    }
  } finally {
    if (!own.aborted) isRunning = false;
  }
}

async function readApps(own: AbortSignal): Promise<void> {
  if (!needsAll && changed.size === 0) return;
  if (needsAll || changed.size > MAX_SINGLE) {
    await pause(listedAt + LIST_MS - Date.now(), own);
    listedAt = Date.now();
    needsAll = false;
    changed.clear();
    // Most often only counts have changed, and definitions are most of the answer.
    const updated = isLoaded.peek() ? withCounts(apps.peek(), await listApps(COUNT_FIELDS, own)) : undefined;
    apps.value = updated ?? withApps(apps.peek(), await listApps(APP_FIELDS, own));
    isLoaded.value = true;
    return;
  }
  const ids = [...changed];
  changed.clear();
  await Promise.all(ids.map((id) => readApp(id, own)));
}

async function listApps(fields: readonly string[], signal: AbortSignal) {
  const query = { fields: fields.join(','), embed: ['apps.counts', 'apps.deployments'] };
  return (await api.call('GET', '/v2/apps', { query }, { ...SHORT, signal })).apps;
}

async function readApp(id: string, signal: AbortSignal): Promise<void> {
  try {
    const { app } = await api.call('GET', '/v2/apps/{id}', { path: { id } }, { ...SHORT, signal });
    apps.value = withApp(apps.peek(), app);
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
    apps.value = appsAfter(apps.peek(), [id]);
  }
}

async function readDeployments(signal: AbortSignal): Promise<void> {
  if (!needsDeployments) return;
  needsDeployments = false;
  deployments.value = await api.call('GET', '/v2/deployments', {}, { ...SHORT, signal });
}

/** @throws the signal's reason if it has aborted meanwhile */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  signal.throwIfAborted();
}
