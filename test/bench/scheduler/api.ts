/**
 * Measures the API of a scheduler with many running tasks, some of which change before each request: answers, events,
 * memory. The scheduler is the built program in a process of its own, with a journal; Mesos is simulated in another one.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from './cluster.ts';

const REQUESTS = 200;
const UNCOUNTED = 20;
const UPDATES = 300;
const UPDATE_EVERY_MS = 20;
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
export async function request({ url, agent }: Cluster, route: string, encoding: string): Promise<number> {
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
