/** The built scheduler in a process of its own, with a journal; Mesos is simulated in another one. */

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkedApps } from './apps.ts';

const MIN_AGENTS = 1000;
const TASKS_OF_AGENT = 50;
const PATIENCE_MS = 600_000;
const MS_PER_CLOCK_TICK = 10;

export class Cluster implements AsyncDisposable {
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'mesosup-bench-'));
  readonly #mesos: ChildProcess;
  #scheduler: ChildProcess | undefined;
  readonly agent = new Agent({ keepAlive: true });
  url = '';

  private constructor(tasks: number) {
    const agents = Math.max(MIN_AGENTS, Math.ceil(tasks / TASKS_OF_AGENT));
    this.#mesos = fork(path.join(import.meta.dirname, 'mesos-process.ts'), [String(agents)]);
  }

  /** Resolves when all tasks are healthy. */
  static async start(checkout: string, appCount: number, each: number): Promise<Cluster> {
    const cluster = new Cluster(appCount * each);
    try {
      await cluster.#begin(checkout, appCount, each);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #begin(checkout: string, appCount: number, each: number): Promise<void> {
    const [{ port: master }] = (await once(this.#mesos, 'message')) as [{ port: number }];
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}`;
    const flags = ['--master', `127.0.0.1:${master}`, '--data_dir', `${this.#directory}/data`];
    const program = path.join(checkout, 'dist/lib/scheduler.js');
    const own = ['--http_port', String(port), '--http_address', '127.0.0.1', '--hostname', '127.0.0.1'];
    const { RUNTIME_FLAGS } = (await import(
      path.join(checkout, 'src/install/wanted/scheduler.ts')
    )) as typeof import('../../../src/install/wanted/scheduler.ts');
    this.#scheduler = spawn(process.execPath, [...RUNTIME_FLAGS, program, ...own, ...flags], {
      stdio: 'ignore',
    });
    await this.#until(async () => (await fetch(`${this.url}/ping`)).ok);
    const body = JSON.stringify(checkedApps(appCount, each));
    const answer = await fetch(`${this.url}/v2/apps`, { method: 'PUT', body });
    if (!answer.ok) throw new Error(await answer.text());
    await this.#until(async () => (await this.#running()) === appCount * each);
    for (let left = appCount * each; left > 0; left -= 1000) await this.change(Math.min(left, 1000));
    await this.#until(async () => (await (await fetch(`${this.url}/v2/deployments`)).text()) === '[]');
  }

  async #running(): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics/prometheus`)).text();
    return Number(/^mesosup_tasks\{state="TASK_RUNNING"\} (\d+)/m.exec(text)?.[1] ?? 0);
  }

  async #until(holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      if (await holds().catch(() => false)) return;
      if (Date.now() > end) throw new Error(`after ${PATIENCE_MS} ms: ${holds}`);
      await sleep(100);
    }
  }

  /** Resolves once the scheduler has acknowledged the updates. */
  async change(tasks: number): Promise<void> {
    const changed = once(this.#mesos, 'message');
    this.#mesos.send({ change: tasks });
    await changed;
  }

  /** MiB */
  memory(field: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.#scheduler?.pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024;
  }

  /** Of all of its threads, since its start. */
  cpuMs(): number {
    const fields =
      readFileSync(`/proc/${this.#scheduler?.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_CLOCK_TICK;
  }

  async delayMs(): Promise<number> {
    return (await this.metric(/^nodejs_eventloop_lag_p99_seconds ([\d.e-]+)/m)) * 1000;
  }

  /** @returns the first group of the pattern in the metrics */
  async metric(pattern: RegExp): Promise<number> {
    // A new connection: fetch may use one that the scheduler closes at this moment, since it was idle for long.
    const answer = await new Promise<IncomingMessage>((resolve, reject) =>
      get(`${this.url}/metrics/prometheus`, { agent: false }, resolve).once('error', reject),
    );
    return Number(pattern.exec(await text(answer))?.[1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.agent.destroy();
    const scheduler = this.#scheduler;
    if (scheduler && scheduler.exitCode === null) {
      scheduler.kill('SIGKILL');
      await once(scheduler, 'exit');
    }
    this.#mesos.disconnect();
    await once(this.#mesos, 'exit');
    rmSync(this.#directory, { recursive: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
