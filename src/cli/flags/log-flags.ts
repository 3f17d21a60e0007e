/** Flags of the commands that show logs. */

import { Flags } from '@oclif/core';
import { UsageError } from '../../errors/mesosup-error.ts';
import { parseSince, SINCE_FORM } from '../../text/since.ts';

/** Which lines to show; see `timeOf` and `patternOf`. */
export const lineFlags = {
  since: Flags.string({
    summary:
      'Only lines since then: a duration such as 10m or 2h30m, or a time such as 2026-01-31T14:05:00Z.',
    helpValue: '10m|TIME',
  }),
  grep: Flags.string({
    summary: 'Only lines that match the regular expression of JavaScript.',
    helpValue: 'PATTERN',
  }),
};

/**
 * The time of --since in milliseconds since 1970.
 * @param now the time from which a duration counts back
 * @throws UsageError if it is neither a duration nor a time
 */
export function timeOf(text: string, now: number): number {
  const time = parseSince(text, now);
  if (time === undefined) throw new UsageError(`--since "${text}" is not ${SINCE_FORM}`);
  return time;
}

/** The pattern of --grep. @throws UsageError if it is no regular expression */
export function patternOf(text: string | undefined): RegExp | undefined {
  try {
    return text === undefined ? undefined : new RegExp(text);
  } catch (error) {
    throw new UsageError(`--grep is not a regular expression: ${(error as Error).message}`);
  }
}
