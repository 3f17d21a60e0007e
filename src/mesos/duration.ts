/** Parses durations in Mesos' format for flags and environments: `15mins`, `250ms`, `1.5secs`. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  secs: 1000,
  mins: 60_000,
  hrs: 3_600_000,
  days: 86_400_000,
  weeks: 604_800_000,
};

/**
 * @returns milliseconds
 * @throws TypeError if the text is not a number followed by a unit
 */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(text.trim());
  const unit = match?.[2] === undefined ? undefined : UNIT_MS[match[2]];
  if (!match || unit === undefined) {
    throw new TypeError(
      `"${text}" is not a duration: use a number and one of ${Object.keys(UNIT_MS).join(', ')}, for example 15mins`,
    );
  }
  return Number(match[1]) * unit;
}
