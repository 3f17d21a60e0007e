/** Describes the versions of an app. */

import type { Json } from '../json.ts';
import { type Difference, differencesOf, differenceText } from './difference.ts';

export interface HistoryEntry {
  readonly version: string;
  /** Compared with the version before; undefined for the oldest one that is known. */
  readonly differences?: readonly Difference[];
}

/** @param definitions newest first, each with its version */
export function historyOf(
  definitions: readonly { readonly version: string }[],
  isComplete: boolean,
): HistoryEntry[] {
  const entries = definitions.map((definition, i): HistoryEntry => {
    const before = definitions[i + 1];
    const { version } = definition;
    return before ? { version, differences: differencesOf({ ...before }, { ...definition }) } : { version };
  });
  return isComplete ? entries : entries.slice(0, -1);
}

/** Each version with its differences below it. */
export function historyText(entries: readonly HistoryEntry[]): string {
  return entries
    .map(({ version, differences }, i) =>
      [
        i === 0 ? `${version}  (current)` : version,
        ...(differences ? differences.map((one) => `  ${differenceText(one)}`) : ['  first version']),
        ...(differences?.length === 0 ? ['  no difference'] : []),
      ].join('\n'),
    )
    .join('\n');
}

/** The lines of a difference between two definitions. */
export function differenceLines(before: Json, after: Json): string[] {
  return differencesOf(before, after).map((one) => `  ${differenceText(one)}`);
}
