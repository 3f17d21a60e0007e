import { writeSync } from 'node:fs';

/** Writes one line of the log: a message or an operation with its fields. */
export type Log = (line: Readonly<Record<string, unknown>>) => void;

/**
 * Writes JSON lines to standard error, which the supervisor redirects to `executor.log` in the sandbox. A failed write
 * (full disk) never stops a task.
 */
export const logToStderr: Log = (line) => {
  try {
    writeSync(2, `${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`);
  } catch {
    // No other place to report the error.
  }
};

/** The time in milliseconds since the epoch, with a fraction. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}
