/** Reads a time as people give it: `10m`, `2h30m`, `2026-01-31T14:05:00Z`. */

export const SINCE_FORM = 'a duration such as 10m or 2h30m, or a time such as 2026-01-31T14:05:00Z';

const DURATION = /^(?=\d)(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/;
// A plus sign that was not encoded in a URL arrives as a blank.
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(?:Z|([+ -])(\d\d:\d\d))$/i;

/**
 * @param now in milliseconds since the epoch, from which a duration counts back
 * @returns milliseconds since the epoch; undefined if the text has neither form
 */
export function parseSince(text: string, now: number): number | undefined {
  const duration = DURATION.exec(text);
  if (duration) {
    const [days = 0, hours = 0, minutes = 0, seconds = 0] = duration
      .slice(1)
      .map((part) => Number(part ?? 0));
    return now - (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
  }
  const [, time, sign, offset] = TIME.exec(text) ?? [];
  if (time === undefined) return undefined;
  const zone = sign === undefined ? 'Z' : `${sign === '-' ? '-' : '+'}${offset}`;
  const ms = Date.parse(`${time.toUpperCase()}${zone}`);
  return Number.isNaN(ms) ? undefined : ms;
}
