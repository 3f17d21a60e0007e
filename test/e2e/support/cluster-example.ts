/** The example of the page of 2013, on an installed cluster: Redis, started by `/v1/apps/start` and asked. */

import { expect } from 'vitest';
import type { Endpoint } from '../../../src/demo/scheduler-api.ts';
import type { LabHost } from '../../lab/host.ts';
import { ensureRedisImage, loadImage } from '../../lab/images.ts';
import { until } from '../demo-cluster.ts';
import type { LabCluster } from './lab-cluster.ts';

const EXAMPLE = 'example';

/**
 * Starts Redis as the page of 2013 does, asks it from a container, and removes it.
 *
 * @param host one with a scheduler and Docker
 * @returns where Redis ran
 */
export async function runExample(on: LabCluster, host: LabHost): Promise<Endpoint> {
  const image = await ensureRedisImage();
  // Some hosts of the lab are down, or have no Docker.
  await Promise.allSettled(on.lab.hosts.map((one) => loadImage(one, image)));
  const answer = await on.api(host, '/v1/apps/start', {
    method: 'POST',
    body: JSON.stringify({
      ...{ id: EXAMPLE, instances: 1, mem: 64, cpus: 0.1 },
      ...{ executor: '/var/lib/mesos/executors/docker', cmd: image },
    }),
  });
  expect(answer.status, await answer.text()).toBe(204);
  const endpoint = await until('the example answers', () => askExample(on, host, image), 120_000);
  const removed = await on.api(host, `/v2/apps/${EXAMPLE}`, { method: 'DELETE' });
  expect(removed.status, await removed.text()).toBe(200);
  return endpoint;
}

async function askExample(on: LabCluster, host: LabHost, image: string): Promise<Endpoint | undefined> {
  const [endpoint] = await on.endpoints(host, EXAMPLE).catch(() => []);
  if (!endpoint) return undefined;
  const ask = `docker run --rm ${image} redis-cli -h ${endpoint.host} -p ${endpoint.port}`;
  const { stdout } = await host.exec(`${ask} SET x 7 && ${ask} GET x`);
  return stdout.trim() === 'OK\n7' ? endpoint : undefined;
}
