/**
 * Measures the API of a scheduler with many running tasks, some of which change before each request: answers, events,
 * memory. The scheduler is the built program in a process of its own, with a journal; Mesos is simulated in another one.
 */

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const REQUESTS = 200;
const UNCOUNTED = 20;
const UPDATES = 300;
const UPDATE_EVERY_MS = 20;
const AGENTS = 1000;
const PATIENCE_MS = 120_000;
const MS_PER_CLOCK_TICK = 10;
/** Readers of `/v2/events`. */
export const LISTENERS = 1000;
/** Number of tasks whose health changes before each request: some hundred changes per second. */
export const CHANGES = 10;

export const QUESTIONS: readonly (readonly [path: string, encoding?: string])[] = [
  ['/v2/apps?embed=apps.tasks'],
  ['/v2/apps?embed=apps.tasks', 'gzip'],
  ['/v1/endpoints'],
  ['/v2/endpoints'],
  ['/v2/tasks'],
  ['/v2/groups'],
  ['/v2/groups', 'gzip'],
];

export interface Answer {
  /** From the request to the last byte: median and 99th percentile. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Processor time of the scheduler for a request and the changes before it: not affected by other processes. */
  readonly cpuMs: number;
  /** As transferred. */
  readonly bytes: number;
}

export interface ApiFigures {
  readonly tasks: number;
  /** One for each of the questions. */
  readonly answers: readonly Answer[];
  readonly events: EventFigures;
  /** The 99th percentile of the delay of the event loop, over all of the requests. */
  readonly delayMs: number;
  /** Of the scheduler alone: before the first request, after the last one, with all listeners, and at most. */
  readonly rssMiB: {
    readonly started: number;
    readonly ended: number;
    readonly listening: number;
    readonly most: number;
  };
}

/** With many listeners and 50 updates a second. */
export interface EventFigures {
  /** From an update of a task to its event at the first, the middle and the last listener: 99th percentiles. */
  readonly firstMs: number;
  readonly middleMs: number;
  readonly lastMs: number;
  /** Share of the updates that were stored within 5 ms of their arrival. */
  readonly storedInTime: number;
  /** Processor time of the scheduler for each update. */
  readonly cpuMs: number;
}

/** Measures several checkouts, which must be built, in turns. */
export async function askApi(
  checkouts: readonly string[],
  appCount: number,
  each: number,
): Promise<ApiFigures[]> {
  await using started = new AsyncDisposableStack();
  const clusters = await Promise.all(
    checkouts.map(async (one) => started.use(await Cluster.start(one, appCount, each))),
  );
  const rss = clusters.map((one) => one.memory('VmRSS'));
  const answers: Answer[][] = clusters.map(() => []);
  for (const [url, encoding] of QUESTIONS) {
    const figures = await timed(clusters, url, encoding ?? 'identity');
    for (const [i, one] of figures.entries()) answers[i]?.push(one);
  }
  const ended = clusters.map((one) => one.memory('VmRSS'));
  const delays = await Promise.all(clusters.map((one) => one.delayMs()));
  const events: EventFigures[] = [];
  for (const cluster of clusters) events.push(await timeEvents(cluster));
  return clusters.map((cluster, i) => ({
    tasks: appCount * each,
    answers: answers[i] ?? [],
    events: events[i] as EventFigures,
    delayMs: delays[i] ?? Number.NaN,
    rssMiB: {
      started: rss[i] ?? 0,
      ended: ended[i] ?? 0,
      listening: cluster.memory('VmRSS'),
      most: cluster.memory('VmHWM'),
    },
  }));
}

class Cluster implements AsyncDisposable {
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'mesosup-bench-'));
  readonly #mesos: ChildProcess;
  #scheduler: ChildProcess | undefined;
  readonly agent = new Agent({ keepAlive: true });
  url = '';

  private constructor() {
    this.#mesos = fork(path.join(import.meta.dirname, 'mesos-process.ts'), [String(AGENTS)]);
  }

  /** Resolves when all tasks are healthy. */
  static async start(checkout: string, appCount: number, each: number): Promise<Cluster> {
    const cluster = new Cluster();
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
    const apps = Array.from({ length: appCount }, (_, i) => ({
      id: `/group${i % 10}/app${i}`,
      cmd: 'sleep 600',
      instances: each,
      cpus: 0.1,
      mem: 64,
      portDefinitions: [{ port: 0 }],
      healthChecks: [{ protocol: 'COMMAND', command: { value: 'true' } }],
    }));
    await this.#until(async () => (await fetch(`${this.url}/ping`)).ok);
    const body = JSON.stringify(apps);
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

/** Sends requests to each cluster in turns, each after some changes; the first few are not counted. */
async function timed(clusters: readonly Cluster[], url: string, encoding: string): Promise<Answer[]> {
  const ms: number[][] = clusters.map(() => []);
  const bytes = clusters.map(() => 0);
  const cpu = clusters.map((cluster) => -cluster.cpuMs());
  for (let i = -UNCOUNTED; i < REQUESTS; i += 1) {
    for (const [which, cluster] of clusters.entries()) {
      await cluster.change(CHANGES);
      const began = performance.now();
      bytes[which] = await request(cluster, url, encoding);
      if (i >= 0) ms[which]?.push(performance.now() - began);
    }
  }
  return ms.map((all, i) => ({
    medianMs: percentile(all, 0.5),
    p99Ms: percentile(all, 0.99),
    cpuMs: ((cpu[i] ?? 0) + (clusters[i]?.cpuMs() ?? 0)) / (REQUESTS + UNCOUNTED),
    bytes: bytes[i] ?? 0,
  }));
}

/** @returns the length of the body as transferred */
async function request({ url, agent }: Cluster, route: string, encoding: string): Promise<number> {
  const headers = { 'Accept-Encoding': encoding };
  const answer = await new Promise<IncomingMessage>((resolve, reject) =>
    get(`${url}${route}`, { agent, headers }, resolve).once('error', reject),
  );
  if (answer.statusCode !== 200) throw new Error(`${route}: ${answer.statusCode}`);
  let bytes = 0;
  for await (const chunk of answer) bytes += (chunk as Buffer).length;
  return bytes;
}

async function timeEvents(cluster: Cluster): Promise<EventFigures> {
  const file = path.join(import.meta.dirname, 'listeners-process.ts');
  const listeners = fork(file, [new URL(cluster.url).port, String(LISTENERS)]);
  try {
    await once(listeners, 'message');
    const ms: Record<'first' | 'middle' | 'last', number[]> = { first: [], middle: [], last: [] };
    const sent: bigint[] = [];
    const all = Promise.withResolvers<void>();
    listeners.on('message', (seen: Record<keyof typeof ms, string>) => {
      const began = sent[ms.first.length] ?? 0n;
      for (const [name, list] of Object.entries(ms)) {
        list.push(Number(BigInt(seen[name as keyof typeof ms]) - began) / 1e6);
      }
      if (ms.first.length === UPDATES) all.resolve();
    });
    listeners.once('exit', () => all.reject(new Error('a listener was disconnected')));
    const lag = async () =>
      await Promise.all([
        cluster.metric(/^mesosup_event_lag_seconds_bucket\{le="0.005"\} (\d+)/m),
        cluster.metric(/^mesosup_event_lag_seconds_count (\d+)/m),
      ]);
    const [inTime, count] = await lag();
    const cpu = cluster.cpuMs();
    for (let i = 0; i < UPDATES; i += 1) {
      const next = sleep(UPDATE_EVERY_MS);
      sent.push(process.hrtime.bigint());
      await cluster.change(1);
      await next;
    }
    await all.promise;
    const cpuMs = (cluster.cpuMs() - cpu) / UPDATES;
    const [inTimeNow, countNow] = await lag();
    return {
      firstMs: percentile(ms.first, 0.99),
      middleMs: percentile(ms.middle, 0.99),
      lastMs: percentile(ms.last, 0.99),
      storedInTime: (inTimeNow - inTime) / (countNow - count),
      cpuMs,
    };
  } finally {
    listeners.removeAllListeners();
    listeners.kill();
  }
}

function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * part) - 1] ?? Number.NaN;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
