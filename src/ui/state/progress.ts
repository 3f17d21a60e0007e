/** How far a deployment has replaced the instances of an app (pure). */

import type { AppJson } from '../../scheduler/api/v2/app-schemas.ts';

export interface Progress {
  /** Instances of the definition that is being deployed. */
  readonly running: number;
  readonly starting: number;
  /** Of earlier ones. */
  readonly old: number;
  readonly wanted: number;
}

type Counted = Pick<AppJson, 'instances' | 'mode' | 'taskStats'>;

/** @returns undefined if the answer has no statistics */
export function progressOf({ instances, mode, taskStats }: Counted): Progress | undefined {
  if (!taskStats) return undefined;
  const { running, staged } = taskStats.withLatestConfig.stats.counts;
  const before = taskStats.withOutdatedConfig.stats.counts;
  return {
    running,
    starting: staged,
    old: before.running + before.staged,
    // The number of a daemon follows from the agents.
    wanted: mode === 'daemon' ? Math.max(1, running + staged) : instances,
  };
}

export interface ProgressPart {
  readonly kind: 'running' | 'starting' | 'old' | 'missing';
  readonly count: number;
  /** Percent of the bar. */
  readonly width: number;
}

/** The parts of the bar, from new to old. Its whole is what is wanted, or what there is if that is more. */
export function progressParts({ running, starting, old, wanted }: Progress): ProgressPart[] {
  const missing = Math.max(0, wanted - running - starting - old);
  const total = running + starting + old + missing;
  const all = { running, starting, old, missing };
  return (Object.keys(all) as (keyof typeof all)[])
    .filter((kind) => all[kind] > 0)
    .map((kind) => ({ kind, count: all[kind], width: (all[kind] / total) * 100 }));
}

export function progressText({ running, starting, old, wanted }: Progress): string {
  return [
    `${running} of ${wanted} new running`,
    ...(starting > 0 ? [`${starting} starting`] : []),
    ...(old > 0 ? [`${old} old`] : []),
  ].join(', ');
}
