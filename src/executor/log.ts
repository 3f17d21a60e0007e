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
function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}

/** Logs the begin and the end of an operation for a task. */
export async function logDuration<T>(log: Log, op: string, task: string, run: () => Promise<T>): Promise<T> {
  const start = preciseNow();
  try {
    return await run();
  } finally {
    log({ op, task, start, end: preciseNow() });
  }
}
