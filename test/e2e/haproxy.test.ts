import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BUSYBOX, makeTestImages } from './support/busybox-image.ts';
import { type Haproxy, startHaproxy } from './support/haproxy.ts';
import { requestText } from './support/request-text.ts';
import { type SchedulerCluster, settled, startSchedulerCluster } from './support/scheduler-cluster.ts';

const REQUESTS = 10_000;
const AT_ONCE = 8;
const PAUSE_MS = 8;
const ROLL_MS = 90_000;

let cluster: SchedulerCluster;
let haproxy: Haproxy | undefined;
beforeAll(async () => {
  await makeTestImages();
  cluster = await startSchedulerCluster();
});
afterAll(async () => {
  try {
    await haproxy?.stop();
  } finally {
    await cluster?.stop();
  }
});

/** A web server with a health page. After SIGTERM it serves for some more seconds, until load balancers have noticed. */
function web(version: string) {
  return {
    id: '/web',
    cmd: `trap 'sleep 6; exit 0' TERM; mkdir /tmp/www; echo ${version} > /tmp/www/index.html; httpd -f -p $PORT0 -h /tmp/www & wait`,
    container: { type: 'DOCKER', docker: { image: BUSYBOX } },
    cpus: 0.1,
    mem: 16,
    instances: 3,
    taskKillGracePeriodSeconds: 10,
    upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 0.34 },
    healthChecks: [
      { protocol: 'MESOS_HTTP', path: '/', portIndex: 0, intervalSeconds: 1, gracePeriodSeconds: 60 },
    ],
  };
}

async function api(method: string, path: string, body?: unknown): Promise<unknown> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const answer = await fetch(cluster.url + path, init);
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

it('loses no request of 10,000 while a health-checked app is rolled, from endpoints that change under it', async () => {
  await api('POST', '/v2/apps', web('one'));
  await settled(cluster.url, ROLL_MS);
  haproxy = await startHaproxy(cluster.url, 'web', cluster.directory);
  const { url } = haproxy;

  const answers = new Map<string, number>();
  const agent = new Agent({ keepAlive: false });
  let left = REQUESTS;
  let isRolling = true;
  const client = async (): Promise<void> => {
    // Continues as long as the roll takes.
    while (left > 0 || isRolling) {
      left -= 1;
      const answer = await requestText(url, agent);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      // The machine also runs the scheduler, Docker and the app.
      await sleep(PAUSE_MS);
    }
  };
  const clients = Array.from({ length: AT_ONCE }, client);
  await api('PUT', '/v2/apps/web', web('two'));
  await settled(cluster.url, ROLL_MS);
  isRolling = false;
  await Promise.all(clients);

  const total = [...answers.values()].reduce((sum, count) => sum + count, 0);
  const summary = `${total} requests, ${haproxy.reloads()} reloads: ${JSON.stringify([...answers])}`;
  console.info(summary);
  expect([...answers.keys()].sort(), summary).toEqual(['one', 'two']);
  expect(total).toBeGreaterThanOrEqual(REQUESTS);
  expect(haproxy.reloads()).toBeGreaterThanOrEqual(3);
});
