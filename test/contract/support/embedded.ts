/**
 * The embedded Mesos as the contract suite runs it: a master and an agent, each a process of its own, started as
 * anybody would start them, in a directory of their own. Whoever holds the description can restart them.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../support/free-ports.ts';

export type Role = 'master' | 'agent';

/** Everything needed to start the two again, plain data. */
export interface Embedded {
  /** Holds each one's work directory, log and process id. */
  directory: string;
  /** Addresses, `ip:port`; they stay the same over restarts. */
  master: string;
  agent: string;
  /** More flags of the master. */
  masterFlags: string[];
}

const START_DEADLINE_MS = 20_000;

/** @param directory where all files go; made if it isn't there */
export async function describeEmbedded(directory: string): Promise<Embedded> {
  await mkdir(directory, { recursive: true });
  const [master = 0, agent = 0] = await freePorts(2);
  return { directory, master: `127.0.0.1:${master}`, agent: `127.0.0.1:${agent}`, masterFlags: [] };
}

/** Starts one of the two and waits until it says that it listens. */
export async function startEmbedded(embedded: Embedded, role: Role): Promise<void> {
  const program = fileURLToPath(new URL(`../../../src/embedded/${role}-main.ts`, import.meta.url));
  const [ip, port] = embedded[role].split(':');
  const flags = [`--ip=${ip}`, `--port=${port}`, `--work_dir=${join(embedded.directory, role)}`];
  if (role === 'agent') {
    flags.push(`--master=${embedded.master}`, '--resources=cpus:8;mem:8192;disk:10000;ports:[31000-32000]');
    flags.push('--no-systemd_enable_support');
  }
  // Agents come back once a restarted master's pings have been missing for that long.
  if (role === 'master') flags.push('--agent_ping_timeout=1secs', ...embedded.masterFlags);
  const path = join(embedded.directory, `${role}.log`);
  const log = openSync(path, 'a');
  const before = readFileSync(path, 'utf8').length;
  const child = spawn(process.execPath, [program, ...flags], {
    detached: true,
    stdio: ['ignore', log, log],
    // Something of ours that no executor may inherit.
    env: { ...process.env, MESOSUP_CONTRACT_SUITE: 'yes' },
  });
  await listening(child, path, before, role);
  child.unref();
  writeFileSync(join(embedded.directory, `${role}.pid`), `${child.pid}`);
}

function listening(child: ChildProcess, log: string, from: number, role: Role): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error) => {
      clearTimeout(deadline);
      clearInterval(looking);
      child.removeAllListeners();
      if (error) reject(error);
      else resolve();
    };
    const said = () => readFileSync(log, 'utf8').slice(from);
    const look = () => {
      if (/listening on http:/.test(said())) done();
    };
    const deadline = setTimeout(
      () => done(new Error(`the embedded ${role} does not listen; it said:\n${said()}`)),
      START_DEADLINE_MS,
    );
    // Looked for, not watched: watches are few on a machine that runs test hosts.
    const looking = setInterval(look, 50);
    child.once('error', done);
    child.once('exit', (code, signal) =>
      done(new Error(`the embedded ${role} exited with ${code ?? signal}; it said:\n${said()}`)),
    );
    look();
  });
}

/** Kills one of the two without warning, and starts it again with the same flags. */
export async function restartEmbedded(embedded: Embedded, role: Role): Promise<void> {
  await kill(embedded, role, 'SIGKILL');
  await startEmbedded(embedded, role);
}

/** Ends both and removes their files. */
export async function stopEmbedded(embedded: Embedded): Promise<void> {
  await kill(embedded, 'agent', 'SIGTERM');
  await kill(embedded, 'master', 'SIGTERM');
  // Executors outlive their agent; they are told to end by the end of their frameworks, and need a moment.
  await Promise.all(processesIn(embedded.directory).map(gone));
  await rm(embedded.directory, { recursive: true, force: true });
}

async function kill(embedded: Embedded, role: Role, signal: NodeJS.Signals): Promise<void> {
  let pid: number;
  try {
    pid = Number(readFileSync(join(embedded.directory, `${role}.pid`), 'utf8'));
    process.kill(pid, signal);
  } catch {
    return;
  }
  await gone(pid);
}

/** The processes that run in a directory or below it. */
function processesIn(directory: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(`${directory}/`);
      } catch {
        return false;
      }
    });
}

/** Waits until a process has ended; one that lingers for 5 s is killed. A process not our child has no event. */
export async function gone(pid: number): Promise<void> {
  for (let left = 250; ; left -= 1) {
    if (!isAlive(pid)) return;
    if (left === 0) process.kill(pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** False for zombies, which only wait to be reaped. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
