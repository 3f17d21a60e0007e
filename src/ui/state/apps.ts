/** The apps that the page shows, and their changes (pure). */

import { canonicalJson } from '../../json.ts';
import type { AppJson } from '../../scheduler/api/v2/app-schemas.ts';
import type { LiveEvent } from './events.ts';

/** The fields that the list of apps requests. */
export const APP_LIST_FIELDS = [
  ...[
    'id',
    'instances',
    'cpus',
    'mem',
    'cmd',
    'args',
    'container',
    'healthChecks',
    'mode',
    'version',
    'labels',
  ],
  ...['tasksRunning', 'tasksStaged', 'tasksHealthy', 'tasksUnhealthy', 'deployments'],
];

export type ShownApp = Pick<
  AppJson,
  | 'id'
  | 'instances'
  | 'cpus'
  | 'mem'
  | 'cmd'
  | 'args'
  | 'container'
  | 'healthChecks'
  | 'mode'
  | 'version'
  | 'labels'
> &
  Pick<AppJson, 'tasksRunning' | 'tasksStaged' | 'tasksHealthy' | 'tasksUnhealthy' | 'deployments'>;

export type Apps = ReadonlyMap<string, ShownApp>;

/** Replaces all apps. Equal ones stay the same object, so that only rows of changed apps are drawn again. */
export function withApps(before: Apps, list: readonly ShownApp[]): Apps {
  const after = new Map<string, ShownApp>();
  let isSame = before.size === list.length;
  for (const app of list) {
    const kept = keptOr(before.get(app.id), app);
    if (kept !== before.get(app.id)) isSame = false;
    after.set(app.id, kept);
  }
  return isSame ? before : after;
}

/** Replaces or adds an app. Fields that the list does not show are left out. */
export function withApp(before: Apps, app: AppJson): Apps {
  const shown = Object.fromEntries(
    APP_LIST_FIELDS.flatMap((name) => {
      const value = app[name as keyof AppJson];
      return value === undefined ? [] : [[name, value]];
    }),
  ) as unknown as ShownApp;
  const old = before.get(app.id);
  const kept = keptOr(old, shown);
  if (kept === old) return before;
  if (old) return new Map([...before, [app.id, kept]]);
  return new Map([...before, [app.id, kept] as const].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Removes apps. */
export function appsAfter(before: Apps, removed: readonly string[]): Apps {
  if (!removed.some((id) => before.has(id))) return before;
  return new Map([...before].filter(([id]) => !removed.includes(id)));
}

function keptOr(old: ShownApp | undefined, app: ShownApp): ShownApp {
  return old && old.version === app.version && canonicalJson(old) === canonicalJson(app) ? old : app;
}

export interface EndedDeployment {
  readonly id: string;
  readonly at: string;
  /** Undefined if it succeeded. */
  readonly reason?: string;
  readonly apps: readonly string[];
}

const MAX_ENDED = 50;

/** Adds a deployment that ended. */
export function deploymentsEnded(
  before: readonly EndedDeployment[],
  event: LiveEvent,
): readonly EndedDeployment[] {
  const { type, json, time, apps } = event;
  if (type !== 'deployment_success' && type !== 'deployment_failed') return before;
  const reason = type === 'deployment_failed' ? { reason: String(json.reason) } : {};
  return [{ id: String(json.id), at: time, ...reason, apps }, ...before].slice(0, MAX_ENDED);
}
