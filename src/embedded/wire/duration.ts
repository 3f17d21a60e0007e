/** Formats durations as in Mesos' executor environment and `/flags`. */

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['weeks', 604_800_000],
  ['days', 86_400_000],
  ['hrs', 3_600_000],
  ['mins', 60_000],
  ['secs', 1000],
  ['ms', 1],
];

/** Uses the largest unit that yields an integer: `15mins`, `90secs`. @param ms milliseconds */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0ns';
  for (const [unit, size] of UNITS) {
    if (Number.isInteger(ms / size)) return `${ms / size}${unit}`;
  }
  return `${Math.round(ms * 1_000_000)}ns`;
}
