import { readdir, readFile } from 'node:fs/promises';

/** A process id is used again one day; with the start time of /proc it names one process for good. */
export interface ProcessId {
  pid: number;
  /** Field 22 of /proc/<pid>/stat, in clock ticks since boot. */
  started: string;
}

/** State letter and start time from the text of `/proc/<pid>/stat`, whose name field may hold spaces and brackets. */
export function parseStat(stat: string): { state: string; started: string } | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields[0], fields[19]];
  return state && started ? { state, started } : undefined;
}

/** Names the process that has this pid now; undefined when there is none, or only a zombie. */
export async function identify(pid: number): Promise<ProcessId | undefined> {
  const parsed = parseStat(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''));
  return parsed && parsed.state !== 'Z' ? { pid, started: parsed.started } : undefined;
}

export async function isAlive(id: ProcessId): Promise<boolean> {
  return (await identify(id.pid))?.started === id.started;
}

/** The processes that were started with `NAME=value` in their environment, this one excepted. */
export async function processesWith(name: string, value: string): Promise<number[]> {
  const wanted = `${name}=${value}`;
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return environment.split('\0').includes(wanted) && (await identify(pid)) ? [pid] : [];
    }),
  );
  return found.flat();
}
