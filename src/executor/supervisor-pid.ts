/**
 * Checks if an executor's supervisor is alive. The supervisor writes its process id and start time into its sandbox.
 * Both are compared, since the kernel reuses process ids.
 */

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isAlive } from '../proc/process-id.ts';

/** In the sandbox: `<pid> <start time in ticks since boot>`, as field 22 of /proc/<pid>/stat has it. */
const SUPERVISOR_PID_FILE = 'supervisor.pid';

/** Returns `unknown` if the sandbox has no such file. */
export async function supervisorState(sandbox: string): Promise<'alive' | 'gone' | 'unknown'> {
  const text = await readOrUndefined(path.join(sandbox, SUPERVISOR_PID_FILE));
  const [, pid, startTime] = /^(\d+) (\d+)\s*$/.exec(text ?? '') ?? [];
  if (pid === undefined) return 'unknown';
  return isAlive({ pid: Number(pid), startTime: startTime ?? '' }) ? 'alive' : 'gone';
}

function readOrUndefined(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
