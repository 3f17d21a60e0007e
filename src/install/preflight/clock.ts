/** Clocks of the hosts, against each other: this machine's own is one voice among them. */

import type { Problem } from '../plan.ts';
import { error, type PreflightInput, warning } from './check.ts';

const WARN_MS = 5_000;
/** Logs, certificates and repositories' dates are of no use beyond. */
const REFUSE_MS = 60_000;

export function clockCheck({ cluster, facts }: PreflightInput): Problem[] {
  const offsets = cluster.hosts.flatMap(({ name }) => {
    const own = facts.get(name);
    return own === undefined ? [] : [{ name, offset: own.clock.offsetMs }];
  });
  const right = middle([0, ...offsets.map(({ offset }) => offset)]);
  const others = offsets.length === 1 ? "this machine's" : 'the others';
  return offsets.flatMap(({ name, offset }) => {
    const off = offset - right;
    if (Math.abs(off) <= WARN_MS) return [];
    const say = Math.abs(off) > REFUSE_MS ? error : warning;
    const message = `its clock is ${spell(Math.abs(off))} ${off > 0 ? 'ahead of' : 'behind'} ${others}`;
    return [say(name, 'clock', message, 'set it by NTP: timedatectl set-ntp true')];
  });
}

/** The median; of the two that an even number has, the one nearer to this machine's own clock. */
function middle(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  const high = sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0;
  return Math.abs(low) <= Math.abs(high) ? low : high;
}

function spell(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
