/** The apps that the page shows, and their changes (pure). */

import { APP_FIELDS } from '../../apps/app-fields.ts';
import type { AppJson } from '../../scheduler/api/v2/app-schemas.ts';
import type { LiveEvent } from './events.ts';

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

const COUNTS = ['tasksRunning', 'tasksStaged', 'tasksHealthy', 'tasksUnhealthy'] as const;

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

export type AppCounts = Pick<ShownApp, 'id' | 'version' | (typeof COUNTS)[number] | 'deployments'>;

/** The fields that can change without a new version. */
export const COUNT_FIELDS = ['id', 'version', ...COUNTS, 'deployments'];

/** Updates the counts of all apps. @returns undefined if an app is not known in its version: its definition is needed */
export function withCounts(before: Apps, list: readonly AppCounts[]): Apps | undefined {
  const all: ShownApp[] = [];
  for (const counts of list) {
    const old = before.get(counts.id);
    if (old?.version !== counts.version) return undefined;
    all.push({ ...old, ...counts });
  }
  return withApps(before, all);
}

/** Replaces or adds an app. Fields that the list does not show are left out. */
export function withApp(before: Apps, app: AppJson): Apps {
  const shown = Object.fromEntries(
    APP_FIELDS.flatMap((name) => {
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

/** Compares only what changes without a new version: a definition never does. */
function keptOr(old: ShownApp | undefined, app: ShownApp): ShownApp {
  const isSame =
    old !== undefined &&
    old.version === app.version &&
    COUNTS.every((name) => old[name] === app[name]) &&
    deploymentsOf(old) === deploymentsOf(app);
  return isSame ? old : app;
}

function deploymentsOf({ deployments = [] }: ShownApp): string {
  return deployments.map(({ id }) => id).join(' ');
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
