import { writeSync } from 'node:fs';

/** Takes one line of the log: a message or an operation with its fields. */
export type Log = (line: Readonly<Record<string, unknown>>) => void;

/**
 * The executor's log: JSON lines on its standard error, which the supervisor turns into the sandbox's
 * `executor.log`. A log that can't be written to (a full disk) never stops a task.
 */
export const logToStderr: Log = (line) => {
  try {
    writeSync(2, `${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`);
  } catch {
    // There is nowhere to say it.
  }
};

/** The time in milliseconds since the epoch, with a fraction. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}
