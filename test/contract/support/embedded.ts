/**
 * The embedded Mesos of the contract suite: a master and an agent, each in a separate process, started like by a user, in
 * a separate directory. The description is sufficient to restart them.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../support/free-ports.ts';

export type Role = 'master' | 'agent';

/** Describes the master and the agent for restarts; plain data. */
export interface Embedded {
  /** Contains the work directories, logs and process ids. */
  directory: string;
  /** Addresses, `ip:port`; restarts do not change them. */
  master: string;
  agent: string;
  /** Additional flags. */
  masterFlags: string[];
  agentFlags: string[];
  /** Variables of both, for example of libprocess. */
  environment?: Record<string, string>;
  /** Of the agent; has a default. */
  resources?: string;
}

const RESOURCES = 'cpus:8;mem:8192;disk:10000;ports:[31000-32000]';
const START_DEADLINE_MS = 20_000;

/** @param directory for all files; created if missing */
export async function describeEmbedded(directory: string): Promise<Embedded> {
  await mkdir(directory, { recursive: true });
  const [master = 0, agent = 0] = await freePorts(2);
  return {
    directory,
    master: `127.0.0.1:${master}`,
    agent: `127.0.0.1:${agent}`,
    masterFlags: [],
    agentFlags: [],
  };
}

/** Starts the master or the agent and waits until it listens. */
export async function startEmbedded(embedded: Embedded, role: Role): Promise<void> {
  const program = fileURLToPath(new URL(`../../../src/embedded/${role}-main.ts`, import.meta.url));
  const [ip, port] = embedded[role].split(':');
  const flags = [`--ip=${ip}`, `--port=${port}`, `--work_dir=${join(embedded.directory, role)}`];
  if (role === 'agent') {
    flags.push(`--master=${embedded.master}`, `--resources=${embedded.resources ?? RESOURCES}`);
    flags.push('--no-systemd_enable_support', ...embedded.agentFlags);
  }
  // Agents reconnect to a restarted master after this time without pings.
  if (role === 'master') flags.push('--agent_ping_timeout=1secs', ...embedded.masterFlags);
  const path = join(embedded.directory, `${role}.log`);
  const log = openSync(path, 'a');
  const before = readFileSync(path, 'utf8').length;
  const child = spawn(process.execPath, [program, ...flags], {
    detached: true,
    stdio: ['ignore', log, log],
    // A variable that no executor may inherit.
    env: { ...process.env, MESOSUP_CONTRACT_SUITE: 'yes', ...embedded.environment },
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
    const output = () => readFileSync(log, 'utf8').slice(from);
    const poll = () => {
      if (/listening on https?:/.test(output())) done();
    };
    const deadline = setTimeout(
      () => done(new Error(`the embedded ${role} does not listen; its output:\n${output()}`)),
      START_DEADLINE_MS,
    );
    // Polls instead of watching the file: watches are scarce on a machine with test hosts.
    const looking = setInterval(poll, 50);
    child.once('error', done);
    child.once('exit', (code, signal) =>
      done(new Error(`the embedded ${role} exited with ${code ?? signal}; its output:\n${output()}`)),
    );
    poll();
  });
}

/** Kills the master or the agent by SIGKILL, and starts it again with the same flags. */
export async function restartEmbedded(embedded: Embedded, role: Role): Promise<void> {
  await kill(embedded, role, 'SIGKILL');
  await startEmbedded(embedded, role);
}

/** Ends both and removes their files. */
export async function stopEmbedded(embedded: Embedded): Promise<void> {
  await kill(embedded, 'agent', 'SIGTERM');
  await kill(embedded, 'master', 'SIGTERM');
  // Executors survive their agent. They end after their frameworks, which takes a moment.
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

/** Lists the processes that run in a directory or below it. */
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

/** Waits until a process has ended, and kills it after 5 s. Polls, since it may not be a child process. */
export async function gone(pid: number): Promise<void> {
  for (let left = 250; ; left -= 1) {
    if (!isAlive(pid)) return;
    if (left === 0) process.kill(pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** False for zombies. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
