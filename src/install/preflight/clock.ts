/** Compares the clocks of the hosts and of this machine. */

import type { Problem } from '../plan.ts';
import { error, type PreflightInput, warning } from './check.ts';

const WARN_MS = 5_000;
/** Above this, logs can't be compared, and certificates and repositories may count as expired or not yet valid. */
const ERROR_MS = 60_000;

export function clockCheck({ cluster, facts }: PreflightInput): Problem[] {
  const offsets = cluster.hosts.flatMap(({ name }) => {
    const own = facts.get(name);
    return own === undefined ? [] : [{ name, offset: own.clock.offsetMs }];
  });
  const reference = median([0, ...offsets.map(({ offset }) => offset)]);
  const others = offsets.length === 1 ? "this machine's clock" : 'the other clocks';
  return offsets.flatMap(({ name, offset }) => {
    const deviation = offset - reference;
    if (Math.abs(deviation) <= WARN_MS) return [];
    const report = Math.abs(deviation) > ERROR_MS ? error : warning;
    const message = `its clock is ${formatDuration(Math.abs(deviation))} ${deviation > 0 ? 'ahead of' : 'behind'} ${others}`;
    return [report(name, 'clock', message, 'Synchronize it by NTP: timedatectl set-ntp true')];
  });
}

/** Returns the median; of the two middle values of an even number, the one nearer to this machine's clock. */
function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  const high = sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0;
  return Math.abs(low) <= Math.abs(high) ? low : high;
}

function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
