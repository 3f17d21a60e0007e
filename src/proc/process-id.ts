/** Identifies processes by `/proc`. The kernel reuses process ids, but not with the same start time. */

import { readdirSync, readFileSync } from 'node:fs';

/** Identifies one process permanently, also after the process that stored it has restarted. */
export interface ProcessId {
  pid: number;
  /** Field 22 of `/proc/<pid>/stat`: clock ticks since the machine began. */
  startTime: string;
}

export interface ProcessStat {
  /** One letter; Z and X are dead. */
  state: string;
  /** The id of the session's first process. */
  session: number;
  startTime: string;
}

/** Parses `/proc/<pid>/stat`. The second field, the program's name, may contain blanks and parentheses. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, session, startTime] = [fields[0], fields[3], fields[19]];
  return state && session && startTime ? { state, session: Number(session), startTime } : undefined;
}

/** Returns undefined if the process does not exist. A zombie is returned with its state. */
export function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/** Identifies the process that has this id now; undefined if there is none, or only a zombie. */
export function identify(pid: number): ProcessId | undefined {
  const stat = readStat(pid);
  return stat && stat.state !== 'Z' && stat.state !== 'X' ? { pid, startTime: stat.startTime } : undefined;
}

/** True while this process runs. */
export function isAlive(id: ProcessId): boolean {
  return identify(id.pid)?.startTime === id.startTime;
}

/** Lists the ids of all processes of this machine, including zombies. */
export function listProcessIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Sends SIGKILL. Succeeds if the process is already gone. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
