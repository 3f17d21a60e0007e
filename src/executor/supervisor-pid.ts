/**
 * Whether an executor's supervisor lives. It writes its process id and start time into its sandbox; both are
 * compared, since ids are used again.
 */

import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** In the sandbox: `<pid> <start time in ticks since boot>`, as field 22 of /proc/<pid>/stat has it. */
const SUPERVISOR_PID_FILE = 'supervisor.pid';

/** `unknown` where the sandbox has no such file. */
export async function supervisorState(sandbox: string): Promise<'alive' | 'gone' | 'unknown'> {
  const text = await readOrUndefined(path.join(sandbox, SUPERVISOR_PID_FILE));
  const [, pid, startTime] = /^(\d+) (\d+)\s*$/.exec(text ?? '') ?? [];
  if (pid === undefined) return 'unknown';
  const stat = await readOrUndefined(`/proc/${pid}/stat`);
  return stat !== undefined && startTimeOf(stat) === startTime ? 'alive' : 'gone';
}

/** Field 22; the second field, the program's name, may hold spaces and brackets. */
function startTimeOf(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function readOrUndefined(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
