/**
 * Ends commands that Docker runs in containers (`docker exec`). Docker's API can't, so they are ended by signals: the
 * engine runs on this machine.
 */

import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DockerEngine } from '../docker/engine.ts';

/**
 * In the environment of the commands of exec sessions, with the worker's process id. They outlive a killed worker, and the
 * next worker ends them, but no other commands.
 */
const WORKER_VARIABLE = 'MESOSUP_EXEC_WORKER';
/** Timeout of the inspection of a command. */
const INSPECT_TIMEOUT_MS = 5000;
/** A busy engine may not answer in time: the command is looked for again, as otherwise it would run on unseen. */
const FIND_MS = 60_000;
const FIND_AGAIN_MS = 500;
/** Time for a command to end after SIGHUP. */
const HANGUP_MS = 2000;
const POLL_MS = 50;

/** @returns the line for the environment of a command of this worker's sessions */
export function workerMark(): string {
  return `${WORKER_VARIABLE}=${process.pid}`;
}

/**
 * Finds the process of a command that Docker runs in a container. Checks that the process belongs to the container: if
 * the engine runs in another PID namespace, the reported process id may belong to an unrelated process.
 * @returns undefined if the command does not run, or has ended meanwhile
 * @throws Error if the process is not in the container, or Docker does not know it yet: the command's output may come first
 */
export async function findExecProcess(
  engine: DockerEngine,
  exec: string,
  container: string,
): Promise<number | undefined> {
  const { Pid: pid, Running } = await engine.inspectExec(exec, AbortSignal.timeout(INSPECT_TIMEOUT_MS));
  if (!Running) return undefined;
  if (pid === 0) throw new Error('Docker does not know the process yet');
  const cgroups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
  });
  if (cgroups === undefined) return undefined;
  if (!cgroups.includes(container)) throw new Error(`process ${pid} is not in the container`);
  return pid;
}

/** Ends the commands of an earlier worker's exec sessions in a container. Its sessions have ended with it. */
export async function endLostCommands(engine: DockerEngine, container: string): Promise<void> {
  for (const exec of (await engine.inspectContainer(container))?.ExecIDs ?? []) {
    const pid = await findExecProcess(engine, exec, container).catch(() => undefined);
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    const mark = environment.split('\0').find((line) => line.startsWith(`${WORKER_VARIABLE}=`));
    if (pid !== undefined && mark !== undefined && mark !== workerMark()) await hangUp(pid);
  }
}

/** Ends a command whose client is gone: Docker lets it run. @throws Error if its process can't be found for a minute */
export async function endCommand(engine: DockerEngine, exec: string, container: string): Promise<void> {
  for (const end = Date.now() + FIND_MS; ; await sleep(FIND_AGAIN_MS)) {
    try {
      const pid = await findExecProcess(engine, exec, container);
      if (pid !== undefined) await hangUp(pid);
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

/** Ends a command and all processes of its session: by SIGHUP, like a closed terminal, and then by SIGKILL. */
async function hangUp(pid: number): Promise<void> {
  if ((await statOf(pid))?.session !== pid) {
    // Docker makes every command the leader of its own session.
    sendSignal(pid, 'SIGKILL');
    return;
  }
  for (const signal of ['SIGHUP', 'SIGKILL'] as const) {
    for (const one of await listSession(pid)) sendSignal(one, signal);
    for (const end = Date.now() + HANGUP_MS; Date.now() < end; ) {
      if ((await listSession(pid)).length === 0) return;
      await sleep(POLL_MS);
    }
  }
}

async function listSession(leader: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map(statOf));
  return pids.filter((_pid, i) => stats[i]?.session === leader && stats[i]?.state !== 'Z');
}

async function statOf(pid: number): Promise<{ state: string; group: number; session: number } | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  const [state = '', , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state, group: Number(group), session: Number(session) };
}

/** Kills a command and the processes of its group. */
export async function killGroup(pid: number): Promise<void> {
  // Docker makes the command the leader of its own process group.
  const group = (await statOf(pid))?.group;
  sendSignal(group === pid ? -pid : pid, 'SIGKILL');
}

/** Ignores a process that has ended meanwhile. */
function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
