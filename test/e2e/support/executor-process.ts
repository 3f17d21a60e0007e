/** An executor like an agent starts it: the real supervisor script and the real program, in a new sandbox. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { vi } from 'vitest';
import { encodeTaskData } from '../../../src/executor/task-data.ts';
import type { TaskInfo } from '../../../src/mesos/types.ts';
import { BUSYBOX } from './busybox-image.ts';
import type { ScriptedAgent } from './scripted-agent.ts';

/** Unique for each process, because an executor removes the containers of earlier runs of the same framework. */
export const FRAMEWORK = `framework-${process.pid}`;

const checkout = path.resolve(import.meta.dirname, '../../..');

/** Creates a `dist` directory with only the executor, which runs from source. */
export async function makeExecutorDist(): Promise<string> {
  const dist = await mkdtemp(path.join(tmpdir(), 'mesosup-dist-'));
  for (const folder of ['bin', 'lib', 'executors']) await mkdir(path.join(dist, folder));
  await symlink(process.execPath, path.join(dist, 'bin/node'));
  await writeFile(path.join(dist, 'lib/package.json'), '{"type":"module"}');
  await writeFile(path.join(dist, 'lib/executor.js'), `import '${checkout}/src/executor/main.ts';\n`);
  const script = path.join(dist, 'executors/docker');
  await copyFile(path.join(checkout, 'templates/executor/docker.sh'), script);
  await chmod(script, 0o755);
  return dist;
}

export interface ExecutorOptions {
  dist: string;
  agent: ScriptedAgent;
  executorId?: string;
  argv?: string[];
  env?: Record<string, string>;
  /** Puts files into the sandbox before the start, as an agent's fetcher does. */
  fetch?: (sandbox: string) => Promise<unknown>;
}

let runs = 0;

/** One run of the executor. */
export class ExecutorProcess {
  readonly sandbox: string;
  readonly supervisor: ChildProcess;
  readonly exited: Promise<unknown[]>;

  private constructor(sandbox: string, supervisor: ChildProcess) {
    this.sandbox = sandbox;
    this.supervisor = supervisor;
    this.exited = once(supervisor, 'exit');
  }

  static async start(options: ExecutorOptions): Promise<ExecutorProcess> {
    const root = await mkdtemp(path.join(tmpdir(), 'mesosup-sandbox-'));
    runs += 1;
    const sandbox = path.join(root, `run-${process.pid}-${runs}`);
    await mkdir(sandbox);
    await options.fetch?.(sandbox);
    const env = {
      MESOS_AGENT_ENDPOINT: options.agent.endpoint,
      MESOS_SLAVE_ID: 'agent-S0',
      MESOS_FRAMEWORK_ID: FRAMEWORK,
      MESOS_EXECUTOR_ID: options.executorId ?? 'docker',
      MESOS_DIRECTORY: sandbox,
      MESOS_SANDBOX: sandbox,
      MESOS_CHECKPOINT: '1',
      MESOS_RECOVERY_TIMEOUT: '15mins',
      MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '5secs',
      ...options.env,
    };
    const supervisor = spawn(path.join(options.dist, 'executors/docker'), options.argv ?? [], {
      cwd: sandbox,
      env,
      stdio: 'ignore',
    });
    return new ExecutorProcess(sandbox, supervisor);
  }

  get pid(): number {
    return this.supervisor.pid ?? 0;
  }

  async workerPid(): Promise<number> {
    const children = await readFile(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8');
    return Number(children.trim().split(' ')[0]);
  }

  async read(file: string): Promise<string> {
    return await readFile(path.join(this.sandbox, file), 'utf8');
  }

  /** The executor's log, parsed. */
  async log(): Promise<Record<string, unknown>[]> {
    const lines = (await this.read('executor.log')).trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Resolves when a file of the sandbox matches. Polls, because test hosts may use up the machine's inotify watches. */
  async contains(file: string, pattern: RegExp): Promise<string> {
    for (;;) {
      const text = await this.read(file).catch(() => '');
      if (pattern.test(text)) return text;
      await sleep(50);
    }
  }

  async end(): Promise<void> {
    if (this.supervisor.exitCode === null && this.supervisor.signalCode === null) {
      const worker = await this.workerPid();
      process.kill(this.pid, 'SIGKILL');
      await this.exited;
      await gone(worker);
    }
    await rm(path.dirname(this.sandbox), { recursive: true, force: true });
  }
}

/** Resolves when a process that is not our child has ended. Polls, because there is no event for this. */
export async function gone(pid: number): Promise<void> {
  for (;;) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    // Without an init system, an orphan remains as a zombie.
    if (stat === undefined || stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')) return;
    await sleep(10);
  }
}

/** A task of the shared form. */
export function taskOf(
  id: string,
  script: string,
  more: Partial<TaskInfo> & {
    image?: string;
    ports?: [number, number][];
    env?: Record<string, string>;
    options?: string[];
    mem?: number;
  } = {},
): TaskInfo {
  const { image = BUSYBOX, ports = [], env = {}, options = [], mem = 32, ...info } = more;
  return {
    name: 'app',
    task_id: { value: id },
    agent_id: { value: 'agent-S0' },
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 0.5 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: mem } },
      { name: 'ports', type: 'RANGES', ranges: { range: ports.map(([begin, end]) => ({ begin, end })) } },
    ],
    data: encodeTaskData({ id: 'app', docker: { image, args: ['/bin/sh', '-c', script], env, options } }),
    ...info,
  };
}

/** Ids of the containers of a cluster, running or not. */
export async function containersOf(cluster: string): Promise<string[]> {
  const { stdout } = await execa('docker', [
    'ps',
    '-aq',
    '--no-trunc',
    '--filter',
    `label=mesosup.cluster=${cluster}`,
  ]);
  return stdout.split('\n').filter((line) => line !== '');
}

export async function removeContainersOf(cluster: string): Promise<void> {
  const found = await containersOf(cluster);
  if (found.length > 0) await execa('docker', ['rm', '-f', '-v', ...found], { reject: false });
}

export interface Inspected {
  Id: string;
  State: { Running: boolean; StartedAt: string };
  HostConfig: {
    CpuShares: number;
    Memory: number;
    PortBindings: Record<string, { HostIp: string; HostPort: string }[]>;
  };
  Config: { Env: string[]; Labels: Record<string, string> };
}

/** Waits until the cluster has one container: that of an ended task is removed shortly after its last update. */
export async function onlyContainerOf(cluster: string): Promise<Inspected> {
  const found = await vi.waitFor(
    async () => {
      const ids = await containersOf(cluster);
      if (ids.length !== 1) throw new Error(`one container was expected in ${cluster}, not ${ids.length}`);
      return ids;
    },
    { timeout: 10_000 },
  );
  const { stdout } = await execa('docker', ['inspect', ...found]);
  const [inspected] = JSON.parse(stdout) as Inspected[];
  if (!inspected) throw new Error('docker inspect printed nothing');
  return inspected;
}
