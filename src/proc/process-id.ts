/** Telling processes apart by `/proc`: ids are used again one day, but not with the same start time. */

import { readdirSync, readFileSync } from 'node:fs';

/** One process for good, across restarts of whoever remembers it. */
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

/** Reads the text of `/proc/<pid>/stat`. The second field, the program's name, may hold blanks and brackets. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, session, startTime] = [fields[0], fields[3], fields[19]];
  return state && session && startTime ? { state, session: Number(session), startTime } : undefined;
}

/** Undefined where there is no such process; one that is dead and not reaped is told with its state. */
export function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/** Names the process that has this id now; undefined when there is none, or only a dead one. */
export function identify(pid: number): ProcessId | undefined {
  const stat = readStat(pid);
  return stat && stat.state !== 'Z' && stat.state !== 'X' ? { pid, startTime: stat.startTime } : undefined;
}

/** True while that very process runs. */
export function isAlive(id: ProcessId): boolean {
  return identify(id.pid)?.startTime === id.startTime;
}

/** The ids of all processes of this machine, dead ones that are not reaped among them. */
export function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Sends SIGKILL; that the process is gone already is no error. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
