/** Runs the scheduler under a steady load, and measures what grows: memory, timers, connections. */

import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from './api.ts';
import { Cluster } from './cluster.ts';

const UPDATES_AT_ONCE = 5;
const EVERY_MS = 100;
/** Listeners come and go. */
const LISTENERS = 20;
const SAMPLES = 10;
const URLS = ['/v2/apps?embed=apps.tasks', '/v1/endpoints', '/v2/tasks', '/v2/groups', '/v2/queue'];

/** A tenth of the time. */
export interface SoakSample {
  readonly updates: number;
  /** The least of the heap in use: after a collection. */
  readonly heapMiB: number;
  readonly mostRssMiB: number;
  /** At its end, without any listener. */
  readonly timers: number;
  readonly connections: number;
}

/** @param minutes 50 updates a second, and some requests */
export async function soak(
  checkout: string,
  appCount: number,
  each: number,
  minutes: number,
  show: (sample: SoakSample) => void,
): Promise<void> {
  await using cluster = await Cluster.start(checkout, appCount, each);
  const resources = (type: string) =>
    cluster.metric(new RegExp(`^nodejs_active_resources\\{type="${type}"\\} (\\d+)`, 'm'));
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const end = Date.now() + (minutes * 60_000) / SAMPLES;
    const listeners: IncomingMessage[] = [];
    let updates = 0;
    let heap = Infinity;
    let mostRssMiB = 0;
    for (let turn = 0; Date.now() < end; turn += 1) {
      const next = sleep(EVERY_MS);
      await cluster.change(UPDATES_AT_ONCE);
      updates += UPDATES_AT_ONCE;
      if (turn % 10 === 0) {
        await request(cluster, URLS[(turn / 10) % URLS.length] ?? '', turn % 20 === 0 ? 'gzip' : 'identity');
        heap = Math.min(heap, await cluster.metric(/^nodejs_heap_size_used_bytes (\d+)/m));
        mostRssMiB = Math.max(mostRssMiB, cluster.memory('VmRSS'));
        listeners.push(await listen(cluster));
        if (listeners.length > LISTENERS) listeners.shift()?.destroy();
      }
      await next;
    }
    for (const one of listeners) one.destroy();
    await sleep(1000);
    const [timers, connections] = await Promise.all([resources('Timeout'), resources('TCPSocketWrap')]);
    show({ updates, heapMiB: heap / 2 ** 20, mostRssMiB, timers, connections });
  }
}

async function listen({ url }: Cluster): Promise<IncomingMessage> {
  const [answer] = (await once(get(`${url}/v2/events`, { agent: false }), 'response')) as [IncomingMessage];
  answer.on('error', () => {});
  return answer.resume();
}
