import { Agent } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askHost } from '../support/ask-host.ts';
import { freePorts } from '../support/free-ports.ts';
import { until } from './demo-cluster.ts';
import { BUSYBOX, makeTestImages } from './support/busybox-image.ts';
import { type LbProcess, startLb } from './support/lb-process.ts';
import { requestText } from './support/request-text.ts';
import { type SchedulerCluster, settled, startSchedulerCluster } from './support/scheduler-cluster.ts';

const AT_ONCE = 4;
const PAUSE_MS = 8;
const CHANGE_MS = 90_000;
const TEST_MS = 400_000;

let cluster: SchedulerCluster;
let lb: LbProcess | undefined;
beforeAll(async () => {
  await makeTestImages();
  cluster = await startSchedulerCluster({ failover_timeout: '100' });
});
afterAll(async () => {
  try {
    await lb?.stop();
  } finally {
    await cluster?.stop();
  }
});

/**
 * A web server that serves for some more seconds after SIGTERM, until load balancers have noticed: longer than one takes
 * to start on a slow machine.
 */
function web(version: string, port: number, instances = 2) {
  return {
    id: '/web',
    cmd: `trap 'sleep 6; exit 0' TERM; mkdir /tmp/www; echo ${version} > /tmp/www/index.html; httpd -f -p $PORT0 -h /tmp/www & wait`,
    container: { type: 'DOCKER', docker: { image: BUSYBOX } },
    cpus: 0.1,
    mem: 16,
    instances,
    portDefinitions: [{ port }],
    labels: { HAPROXY_0_VHOST: 'web.example' },
    taskKillGracePeriodSeconds: 20,
    upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 0.5 },
    healthChecks: [
      {
        protocol: 'MESOS_HTTP',
        path: '/',
        portIndex: 0,
        intervalSeconds: 1,
        delaySeconds: 0,
        gracePeriodSeconds: 60,
      },
    ],
  };
}

async function api(method: string, path: string, body?: unknown): Promise<unknown> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const answer = await fetch(cluster.url + path, init);
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

it(
  'loses no request while an app is scaled, rolled, killed, and the scheduler and the balancer are killed',
  async () => {
    const [port = 0] = await freePorts(1);
    await api('POST', '/v2/apps', web('one', port));
    lb = await startLb(cluster.url, path.join(cluster.directory, 'lb'));
    const one = lb;
    await settled(cluster.url, CHANGE_MS);
    const url = `http://127.0.0.1:${port}/`;
    await until('the service port answers', async () => (await requestText(url, new Agent())) === 'one');
    expect((await askHost(one.httpPort, 'web.example')).text).toBe('one\n');

    const answers = new Map<string, number>();
    let isChanging = true;
    const client = async (keepAlive: boolean): Promise<void> => {
      const agent = new Agent({ keepAlive, maxSockets: 1 });
      while (isChanging) {
        const answer = await requestText(url, agent);
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
        await sleep(PAUSE_MS);
      }
    };
    const clients = Array.from({ length: AT_ONCE }, (_, i) => client(i % 2 === 1));
    await api('PUT', '/v2/apps/web', web('one', port, 3));
    await settled(cluster.url, CHANGE_MS);
    const reloads = await one.metric('mesosup_lb_reloads_total');
    await api('PUT', '/v2/apps/web', web('two', port, 3));
    await sleep(1000);
    await one.end('SIGKILL');
    one.begin();
    await settled(cluster.url, CHANGE_MS);
    await cluster.failOver();
    await one.end();
    one.begin(cluster.url);
    await until(
      'the balancer has read the new scheduler',
      async () => (await one.metric('mesosup_lb_services')) === 1,
    );
    const { tasks } = (await api('GET', '/v2/apps/web/tasks')) as { tasks: { id: string }[] };
    await api('POST', '/v2/tasks/delete', { ids: [tasks[0]?.id] });
    await api('PUT', '/v2/apps/web', web('two', port, 2));
    await settled(cluster.url, CHANGE_MS);
    await sleep(1000);
    isChanging = false;
    await Promise.all(clients);

    const total = [...answers.values()].reduce((sum, count) => sum + count, 0);
    const summary = `${total} requests, ${reloads} reloads: ${JSON.stringify([...answers])}\n${one.log.join('\n')}`;
    console.info(summary);
    expect([...answers.keys()].sort(), summary).toEqual(['one', 'two']);
    // Only the first configuration, and the place for more servers.
    expect(reloads).toBeLessThanOrEqual(2);
  },
  TEST_MS,
);
