/** The API of a scheduler with many running tasks: answers, events, memory. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import path from 'node:path';

const REQUESTS = 200;
const UNCOUNTED = 20;
const UPDATES = 100;

export interface ApiFigures {
  readonly tasks: number;
  /** 99th percentiles, in milliseconds. */
  readonly appsMs: number;
  readonly endpointsMs: number;
  readonly eventMs: number;
  /** Of the largest answer. */
  readonly appsBytes: number;
  /** MiB, with the simulated Mesos in the same process. */
  readonly rssMiB: number;
}

export async function askApi(apps: number, each: number): Promise<ApiFigures> {
  const file = path.join(import.meta.dirname, 'api-process.ts');
  const child = fork(file, [String(apps), String(each)], { execArgv: ['--expose-gc'] });
  const told = async <T>(): Promise<T> => ((await once(child, 'message')) as [T])[0];
  try {
    const { port, tasks } = await told<{ port: number; tasks: number }>();
    const url = `http://127.0.0.1:${port}`;
    const appsRoute = await timed(`${url}/v2/apps?embed=apps.tasks`);
    const endpoints = await timed(`${url}/v1/endpoints`);
    const stream = await new Promise<import('node:http').IncomingMessage>((resolve) =>
      get(`${url}/v2/events`, resolve),
    );
    const eventMs: number[] = [];
    for (let i = 0; i < UPDATES; i += 1) {
      const began = performance.now();
      const seen = once(stream, 'data').then(() => performance.now() - began);
      child.send('update');
      eventMs.push(await seen);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    stream.destroy();
    const rss = told<{ rss: number }>();
    child.send('rss');
    return {
      tasks,
      appsMs: p99(appsRoute.ms),
      endpointsMs: p99(endpoints.ms),
      eventMs: p99(eventMs),
      appsBytes: appsRoute.bytes,
      rssMiB: (await rss).rss / 2 ** 20,
    };
  } finally {
    child.disconnect();
    await once(child, 'exit');
  }
}

/** One request after the other; the first few are not counted. */
async function timed(url: string): Promise<{ ms: number[]; bytes: number }> {
  const ms: number[] = [];
  let bytes = 0;
  for (let i = -UNCOUNTED; i < REQUESTS; i += 1) {
    const began = performance.now();
    const answer = await fetch(url);
    bytes = (await answer.arrayBuffer()).byteLength;
    if (answer.status !== 200) throw new Error(`${url}: ${answer.status}`);
    if (i >= 0) ms.push(performance.now() - began);
  }
  return { ms, bytes };
}

function p99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] ?? Number.NaN;
}
