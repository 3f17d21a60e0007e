/** Measures the API with many running tasks, some of which change before each request: answers, events, memory. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { RUNTIME_FLAGS } from '../../../src/install/wanted/scheduler.ts';

const REQUESTS = 500;
const UNCOUNTED = 20;
const UPDATES = 100;
/** Number of tasks whose health changes before each request: some hundred changes per second. */
export const CHANGES = 10;

interface Figure {
  /** From the request to the last byte: median and 99th percentile. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** As transferred. */
  readonly bytes: number;
}

export interface ApiFigures {
  readonly tasks: number;
  readonly apps: Figure;
  readonly appsGzipped: Figure;
  readonly endpoints: Figure;
  readonly eventMs: number;
  /** MiB, with the simulated Mesos in the same process. */
  readonly rssMiB: number;
}

export async function askApi(appCount: number, each: number): Promise<ApiFigures> {
  const file = path.join(import.meta.dirname, 'api-process.ts');
  const child = fork(file, [String(appCount), String(each)], { execArgv: RUNTIME_FLAGS });
  const nextMessage = async <T>(): Promise<T> => ((await once(child, 'message')) as [T])[0];
  try {
    const { port, tasks } = await nextMessage<{ port: number; tasks: number }>();
    const url = `http://127.0.0.1:${port}`;
    const apps = await timed(child, `${url}/v2/apps?embed=apps.tasks`);
    const appsGzipped = await timed(child, `${url}/v2/apps?embed=apps.tasks`, 'gzip');
    const endpoints = await timed(child, `${url}/v1/endpoints`);
    const stream = await new Promise<IncomingMessage>((resolve) => get(`${url}/v2/events`, resolve));
    const eventMs: number[] = [];
    for (let i = 0; i < UPDATES; i += 1) {
      const began = performance.now();
      const seen = once(stream, 'data').then(() => performance.now() - began);
      const changed = once(child, 'message');
      child.send({ change: 1 });
      eventMs.push(await seen);
      await changed;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    stream.destroy();
    const rss = nextMessage<{ rss: number }>();
    child.send('rss');
    return {
      tasks,
      apps,
      appsGzipped,
      endpoints,
      eventMs: percentile(eventMs, 0.99),
      rssMiB: (await rss).rss / 2 ** 20,
    };
  } finally {
    child.disconnect();
    await once(child, 'exit');
  }
}

/** Sends requests in sequence, each after some changes; the first few are not counted. */
async function timed(child: ChildProcess, url: string, encoding = 'identity'): Promise<Figure> {
  const agent = new Agent({ keepAlive: true });
  const ms: number[] = [];
  let bytes = 0;
  for (let i = -UNCOUNTED; i < REQUESTS; i += 1) {
    const changed = once(child, 'message');
    child.send({ change: CHANGES });
    await changed;
    const began = performance.now();
    const answer = await new Promise<IncomingMessage>((resolve, reject) =>
      get(url, { agent, headers: { 'Accept-Encoding': encoding } }, resolve).once('error', reject),
    );
    if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode}`);
    bytes = 0;
    for await (const chunk of answer) bytes += (chunk as Buffer).length;
    if (i >= 0) ms.push(performance.now() - began);
  }
  agent.destroy();
  return { medianMs: percentile(ms, 0.5), p99Ms: percentile(ms, 0.99), bytes };
}

function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * part) - 1] ?? Number.NaN;
}
