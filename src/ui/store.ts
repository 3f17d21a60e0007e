/** What the page knows: signals that only live/ and session.ts write, and that views read. */

import { computed, signal } from '@preact/signals';
import type { DeploymentJson } from '../scheduler/api/v2/deployment-schemas.ts';
import type { EndedDeployment, ShownApp } from './state/apps.ts';
import type { LiveEvent } from './state/events.ts';
import type { Session } from './state/session.ts';

export const session = signal<Session>({ state: 'unknown' });
export const isOperator = computed(() => session.value.state === 'open' && session.value.role === 'operator');

export const apps = signal<ReadonlyMap<string, ShownApp>>(new Map());
export const isLoaded = signal(false);
/** Why the apps could not be read. */
export const loadError = signal<string | undefined>(undefined);
export const deployments = signal<readonly DeploymentJson[]>([]);
/** Deployments that ended while the page was open, the last one first. */
export const ended = signal<readonly EndedDeployment[]>([]);
/** The last events, oldest first. */
export const events = signal<readonly LiveEvent[]>([]);

/** The time, for ages; it advances every second. */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);
