/** Parses durations on the command line. */

import { UsageError } from '../../errors/mesosup-error.ts';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** @returns seconds @throws UsageError for another form than `30s`, `5m` or `1h` */
export function durationSeconds(flag: string, text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,5})([smh])$/.exec(text) ?? [];
  const factor = SECONDS[unit];
  if (factor === undefined) {
    throw new UsageError(`--${flag} is "${text}": expected a number with s, m or h`, {
      remedy: `For example: --${flag} 5m`,
    });
  }
  return Number(number) * factor;
}
