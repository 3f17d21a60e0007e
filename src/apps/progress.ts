/** Describes the progress of a deployment. */

import type { AppJson } from '../scheduler/api/v2/app-schemas.ts';
import { count } from '../text/count.ts';
import { printable } from '../text/printable.ts';
import { shorten } from '../text/table.ts';

/** What is known of an app that a deployment changes. */
export interface AppProgress {
  readonly id: string;
  /** Undefined if the app does not exist (any more). */
  readonly app?: Pick<AppJson, 'instances' | 'healthChecks' | 'taskStats' | 'mode'> | undefined;
  /** Why instances are waiting; undefined if none is. */
  readonly waiting?: string | undefined;
}

export interface DeploymentProgress {
  readonly id: string;
  readonly step: number;
  readonly steps: number;
  /** Number of failed tasks. */
  readonly failures: number;
  readonly apps: readonly AppProgress[];
}

/** A line for each app. @param width of the terminal; undefined for no limit */
export function progressLines({ apps, step, steps, failures }: DeploymentProgress, width?: number): string[] {
  const about = [
    ...(steps > 1 ? [`step ${step} of ${steps}`] : []),
    ...(failures > 0 ? [`${count(failures, 'failed task')}`] : []),
  ];
  const end = about.length > 0 ? ` (${about.join(', ')})` : '';
  const lines = apps.map((one, i) => `${one.id}: ${appText(one)}${i === apps.length - 1 ? end : ''}`);
  return lines.map((line) => shorten(printable(line), width ?? Infinity));
}

function appText({ app, waiting }: AppProgress): string {
  if (!app) return 'is removed';
  const { instances, healthChecks, taskStats, mode } = app;
  const latest = taskStats?.withLatestConfig?.stats.counts;
  const older = taskStats?.withOutdatedConfig?.stats.counts;
  const running = latest?.running ?? 0;
  const staged = latest?.staged ?? 0;
  const old = (older?.running ?? 0) + (older?.staged ?? 0);
  return [
    mode === 'daemon' ? `${running} running` : `${running} of ${instances} running`,
    ...(healthChecks.length > 0 ? [`${latest?.healthy ?? 0} healthy`] : []),
    ...(staged > 0 ? [`${staged} starting`] : []),
    ...(old > 0 ? [`${old} old`] : []),
    ...(running > instances && mode !== 'daemon' ? [`${running - instances} ending`] : []),
    ...(waiting === undefined
      ? []
      : [`waiting${waiting.startsWith('waiting ') ? waiting.slice('waiting'.length) : `: ${waiting}`}`]),
  ].join(', ');
}

/** How a deployment ended. */
export type Outcome =
  | { readonly kind: 'success' }
  /** It succeeded, but tasks of these apps failed right after they had started. */
  | { readonly kind: 'failing'; readonly apps: readonly string[] }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      /** The version of the apps that it deployed. */
      readonly version: string;
      /** True if the apps have their previous versions again. */
      readonly isRolledBack: boolean;
    }
  /** It ended while no event could be received, so its result is not known. */
  | { readonly kind: 'unknown' };
