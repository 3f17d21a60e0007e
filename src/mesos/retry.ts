/** Waits before the next attempt: pure delays, and the timer that sessions take as an argument. */

/** Calls `run` once after `ms` milliseconds; the returned function cancels it. Tests use their own implementation. */
export type Timer = (ms: number, run: () => void) => () => void;

export const systemTimer: Timer = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

/** First and longest wait of a subscription to a master, in milliseconds. */
export const FIRST_BACKOFF_MS = 100;
export const LONGEST_BACKOFF_MS = 10_000;

/**
 * Computes the wait before an attempt. It doubles each time up to the maximum; the result is random in the upper half,
 * so that many schedulers don't connect to a new leader at the same time.
 * @param attempt 0 for the first attempt after a disconnect
 * @param random in [0, 1)
 * @returns milliseconds
 */
export function backoffMs(attempt: number, random: number): number {
  const maxMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(attempt, 30));
  return Math.round(maxMs / 2 + (maxMs / 2) * random);
}
