import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';

/** Start and end in milliseconds since the epoch. */
export interface Interval {
  start: number;
  end: number;
}

/** The time covered by at least one interval, in milliseconds, without the time after `until`. */
export function union(intervals: readonly Interval[], until = Number.POSITIVE_INFINITY): number {
  let total = 0;
  let covered = Number.NEGATIVE_INFINITY;
  for (const { start, end } of [...intervals].sort((a, b) => a.start - b.start)) {
    const from = Math.max(start, covered);
    const to = Math.min(end, until);
    if (to > from) total += to - from;
    covered = Math.max(covered, to);
  }
  return total;
}

/** The Docker create and start calls in an executor's log: JSON lines with `op`, `start` and `end`. */
export function dockerCalls(log: string): Interval[] {
  const calls: Interval[] = [];
  for (const line of log.split('\n')) {
    if (!line.includes('"op"')) continue;
    const { op, start, end } = JSON.parse(line) as { op?: string } & Interval;
    if (op === 'create' || op === 'start') calls.push({ start, end });
  }
  return calls;
}

/**
 * The calls for which the answer waits. The container of the client is created beside the start of the executors, which
 * takes longer: until the first instance is created, the answer waits for mesosup.
 */
export function callsOnPath(instances: readonly Interval[], client: readonly Interval[]): Interval[] {
  const first = Math.min(...instances.map(({ start }) => start));
  return [...instances, ...client.map(({ start, end }) => ({ start: Math.max(start, first), end }))];
}

/** The Docker create and start calls of all executors of the demo in `dir`. */
export async function executorCalls(dir: string): Promise<Interval[]> {
  const calls: Interval[] = [];
  for await (const file of glob('agent*/slaves/*/frameworks/*/executors/*/runs/*/executor.log', {
    cwd: dir,
  })) {
    calls.push(...dockerCalls(await readFile(path.join(dir, file), 'utf8')));
  }
  return calls;
}
