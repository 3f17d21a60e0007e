/** Formats times and amounts. */

/** The time since then: `5s`, `3m`, `2h`, `4d`. @param now milliseconds since the epoch */
export function age(since: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** At most three digits after the point. */
export function amount(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}
