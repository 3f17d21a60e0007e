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
  const right = median([0, ...offsets.map(({ offset }) => offset)]);
  return offsets.flatMap(({ name, offset }) => {
    const off = offset - right;
    if (Math.abs(off) <= WARN_MS) return [];
    const say = Math.abs(off) > REFUSE_MS ? error : warning;
    const message = `its clock is ${spell(Math.abs(off))} ${off > 0 ? 'ahead of' : 'behind'} the others`;
    return [say(name, 'clock', message, 'set it by NTP: timedatectl set-ntp true')];
  });
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function spell(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
