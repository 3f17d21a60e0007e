/** Runs masters and agents of the embedded Mesos as separate programs, with flags of the test. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { basicAuthorization, type Credential } from '../../../src/mesos/http.ts';
import { gone } from './embedded.ts';

export interface Program {
  pid: number;
  /** `ip:port`, set when it listens. */
  address: string;
  /** Its output so far. */
  log(): string;
  /** Waits for a pattern in its past or future output. */
  waitForOutput(pattern: RegExp): Promise<void>;
  /** Resolves with the exit code, or the signal that ended it. */
  exit: Promise<number | string>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** A directory, and the programs that run in it. */
export class Programs implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'mesosup-programs-'));
  readonly #programs: Program[] = [];

  /** Writes a file in the directory that only its owner can read. @returns its path */
  secret(name: string, content: unknown): string {
    const path = join(this.directory, name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
    return path;
  }

  /** Starts a program without waiting. Default of `--port`: any free port. */
  async spawn(role: 'master' | 'agent', flags: readonly string[]): Promise<Program> {
    const path = fileURLToPath(new URL(`../../../src/embedded/${role}-main.ts`, import.meta.url));
    const port = flags.some((flag) => flag.startsWith('--port=')) ? [] : ['--port=0'];
    const child = spawn(process.execPath, [path, ...flags, ...port], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH },
      cwd: this.directory,
    });
    await once(child, 'spawn');
    const program = programOf(child);
    this.#programs.push(program);
    return program;
  }

  /** Starts a program and waits until it listens. */
  async start(role: 'master' | 'agent', flags: readonly string[]): Promise<Program> {
    const program = await this.spawn(role, flags);
    await program.waitForOutput(/ listening on http:/);
    program.address = / listening on http:\/\/(\S+)/.exec(program.log())?.[1] ?? '';
    return program;
  }

  master(flags: readonly string[] = [], name = 'master'): Promise<Program> {
    return this.start('master', [
      `--work_dir=${join(this.directory, name)}`,
      '--allocation_interval=100ms',
      ...flags,
    ]);
  }

  agent(master: string, flags: readonly string[] = [], name = 'agent'): Promise<Program> {
    return this.start('agent', [...this.agentFlags(master, name), ...flags]);
  }

  agentFlags(master: string, name = 'agent'): string[] {
    return [
      `--master=${master}`,
      `--work_dir=${join(this.directory, name)}`,
      '--resources=cpus:4;mem:1024;disk:1000;ports:[31000-31009]',
      '--no-systemd_enable_support',
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.kill('SIGKILL')));
    await killProcessesOf(this.directory);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Kills what agents with this directory have left: their executors and tasks outlive them. */
export async function killProcessesOf(directory: string): Promise<void> {
  for (const { pid } of processesOf(directory)) {
    killIfAlive(pid);
    await gone(pid);
  }
}

/** The process may end between the look at the process list and the signal. */
function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function programOf(child: ChildProcess): Program {
  let text = '';
  const listeners = new Set<() => void>();
  const notify = () => {
    for (const listener of [...listeners]) listener();
  };
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    notify();
  });
  let over = false;
  const exit = once(child, 'close').then(([code, signal]) => {
    over = true;
    notify();
    return (code ?? signal) as number | string;
  });
  return {
    pid: child.pid ?? 0,
    address: '',
    log: () => text,
    exit,
    waitForOutput: (pattern) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (!pattern.test(text) && !over) return;
          listeners.delete(check);
          if (pattern.test(text)) resolve();
          else reject(new Error(`it ended without the output ${pattern}; its output:\n${text}`));
        };
        listeners.add(check);
        check();
      }),
    async kill(signal) {
      child.kill(signal);
      await exit;
    },
  };
}

/** Lists the processes that run in a directory or below it, or were started with it as an argument. */
export function processesOf(directory: string): { pid: number; commandLine: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const commandLine = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8');
        const ours = commandLine.includes(directory) || environment.includes(`MESOS_DIRECTORY=${directory}`);
        return ours ? [{ pid: Number(name), commandLine }] : [];
      } catch {
        return [];
      }
    });
}

/** Sends a request over a new connection; POST if it has a body. Redirects are not followed. */
export async function ask(
  address: string,
  path: string,
  options: { body?: unknown; credential?: Credential; token?: string } = {},
): Promise<Answer> {
  const { body, credential, token } = options;
  const headers = {
    Connection: 'close',
    ...(credential ? { Authorization: basicAuthorization(credential) } : {}),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
  };
  const response = await fetch(`http://${address}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    redirect: 'manual',
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text: await response.text(),
  };
}

/** Returns the body of a GET that must be answered with 200. */
export async function askJson<T>(address: string, path: string, credential?: Credential): Promise<T> {
  const answer = await ask(address, path, credential ? { credential } : {});
  if (answer.status !== 200) throw new Error(`GET ${address}${path}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as T;
}
