/** What the page knows: signals that only live/ and session.ts write, and that views read. */

import { computed, type Signal, signal } from '@preact/signals';
import type { DeploymentJson } from '../scheduler/api/v2/deployment-schemas.ts';
import type { EndedDeployment, ShownApp } from './state/apps.ts';
import type { Draft } from './state/draft.ts';
import type { LiveEvent } from './state/events.ts';
import type { Session } from './state/session.ts';

export const session = signal<Session>({ state: 'unknown' });
export const isOperator = computed(() => session.value.state === 'open' && session.value.role === 'operator');

/** What was typed when the session ended, for the same user. */
export const draft = signal<Draft | undefined>(undefined);

const resets: (() => void)[] = [];

/** A signal that `forget` sets to its first value again. */
export function ofSession<T>(first: T): Signal<T> {
  const one = signal(first);
  resets.push(() => {
    one.value = first;
  });
  return one;
}

/** Forgets what a user has seen and begun, at the end of the session: the next user may see less. */
export function forget(): void {
  for (const reset of resets) reset();
}

export const apps = ofSession<ReadonlyMap<string, ShownApp>>(new Map());
/** The ids of all groups, also of empty ones. */
export const groups = ofSession<readonly string[]>([]);
export const isLoaded = ofSession(false);
/** Why the apps could not be read. */
export const loadError = ofSession<string | undefined>(undefined);
export const deployments = ofSession<readonly DeploymentJson[]>([]);
/** Deployments that ended while the page was open, the last one first. */
export const ended = ofSession<readonly EndedDeployment[]>([]);
/** The last events, oldest first. */
export const events = ofSession<readonly LiveEvent[]>([]);

/** The time, for ages; it advances every second. */
export const now = signal(Date.now());
setInterval(() => {
  // Tests of single modules have no document.
  if (typeof document !== 'undefined' && !document.hidden) now.value = Date.now();
}, 1000);
