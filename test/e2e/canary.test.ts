/** Canaries with the real haproxy and containers: shares of requests, and no failed request while they start and end. */

import { Agent } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { root, until } from './demo-cluster.ts';
import { BUSYBOX, makeTestImages } from './support/busybox-image.ts';
import { type LbProcess, startLb } from './support/lb-process.ts';
import { requestText } from './support/request-text.ts';
import { type SchedulerCluster, settled, startSchedulerCluster } from './support/scheduler-cluster.ts';

const REQUESTS = 2000;
const CHANGE_MS = 90_000;

let cluster: SchedulerCluster;
let lb: LbProcess | undefined;
beforeAll(async () => {
  await makeTestImages();
  cluster = await startSchedulerCluster();
});
afterAll(async () => {
  try {
    await lb?.stop();
  } finally {
    await cluster?.stop();
  }
});

function mesosup(...args: string[]) {
  const env = { MESOSUP_URL: cluster.url };
  return execa(path.join(root, 'bin/mesosup'), args, { env, reject: false, stdin: 'ignore', all: true });
}

async function done(...args: string[]): Promise<string> {
  const { exitCode, all } = await mesosup(...args);
  expect({ args, exitCode, all }).toMatchObject({ exitCode: 0 });
  return all;
}

async function api(method: string, url: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(
    cluster.url + url,
    body === undefined ? { method } : { method, body: JSON.stringify(body) },
  );
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

function web(port: number) {
  return {
    id: '/shop/web',
    // Serves for some more seconds after SIGTERM, until load balancers have noticed.
    cmd: "trap 'sleep 6; exit 0' TERM; mkdir /tmp/www; echo $VERSION > /tmp/www/index.html; httpd -f -p $PORT0 -h /tmp/www & wait",
    env: { VERSION: 'one' },
    container: { type: 'DOCKER', docker: { image: BUSYBOX } },
    cpus: 0.1,
    mem: 16,
    instances: 2,
    portDefinitions: [{ port }],
    labels: { HAPROXY_0_MODE: 'http' },
    taskKillGracePeriodSeconds: 20,
    upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    healthChecks: [{ protocol: 'MESOS_HTTP', path: '/', portIndex: 0, intervalSeconds: 1, delaySeconds: 0 }],
  };
}

it('divides requests by shares, and loses none when canaries start, are aborted and promoted', async () => {
  const [port = 0, dnsPort = 0] = await freePorts(2);
  await api('POST', '/v2/apps', web(port));
  lb = await startLb(cluster.url, path.join(cluster.directory, 'lb'), { dns: `127.0.0.1:${dnsPort}` });
  const one = lb;
  await settled(cluster.url, CHANGE_MS);
  const url = `http://127.0.0.1:${port}/`;
  await until('the service port answers', async () => (await requestText(url, new Agent())) === 'one');

  const answers = new Map<string, number>();
  let isChanging = true;
  const client = async (keepAlive: boolean): Promise<void> => {
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    while (isChanging) {
      const answer = await requestText(url, agent);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      await sleep(10);
    }
  };
  const clients = [client(false), client(true)];
  /** @returns the percentage of answers from the canary */
  const shareOf = async (requests: number): Promise<number> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    let left = requests;
    let two = 0;
    const ask = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        if ((await requestText(url, agent)) === 'two') two += 1;
      }
    };
    await Promise.all([ask(), ask(), ask(), ask()]);
    return (100 * two) / requests;
  };
  const measured: string[] = [];
  const expectShare = async (share: number): Promise<void> => {
    await until(`the canary gets ${share}%`, async () => Math.abs((await shareOf(100)) - share) <= 5);
    const actual = await shareOf(REQUESTS);
    measured.push(`${share}%: ${actual.toFixed(2)}% of ${REQUESTS}`);
    expect(Math.abs(actual - share)).toBeLessThan(1.5);
  };

  const begun = await done('app', 'canary', 'shop/web', '--share', '10%', '--env', 'VERSION=two');
  expect(begun).toMatch(/~ env\.VERSION: another value\n[\s\S]*gets 10% of the requests of \/shop\/web\./);
  await expectShare(10);
  const dig = async (name: string, type: string) =>
    (await execa('dig', ['@127.0.0.1', '-p', String(dnsPort), '+short', name, type])).stdout
      .split('\n')
      .sort();
  expect(await dig('web-shop.marathon.mesos', 'A')).toEqual(['127.0.0.1']);
  const { tasks } = (await api('GET', '/v2/apps/shop/web/tasks')) as { tasks: { ports: number[] }[] };
  const named = (await dig('_web-shop._tcp.marathon.mesos', 'SRV')).map((line) => Number(line.split(' ')[2]));
  expect(named.sort()).toEqual(tasks.flatMap(({ ports }) => ports).sort());
  expect(await dig('_web-canary-shop._tcp.marathon.mesos', 'SRV')).toHaveLength(1);
  expect(await done('app', 'list')).toMatch(/\/shop\/web-canary +running, canary 10% +1\/1/);
  expect(await done('app', 'show', 'shop/web')).toMatch(
    /^Canary +\/shop\/web-canary, with 10% of the requests$/m,
  );
  expect(await done('app', 'show', 'shop/web-canary')).toMatch(/^Canary of +\/shop\/web, with 10%/m);
  const before = await one.metric('mesosup_lb_reloads_total');
  const moved = await done('app', 'canary', 'shop/web', '--share', '50', '--instances', '1');
  expect(moved).toContain('gets 50% of the requests');
  await expectShare(50);
  expect(await one.metric('mesosup_lb_reloads_total')).toBe(before);
  const aborted = await done('app', 'abort', 'shop/web');
  expect(aborted).toMatch(/gets no new requests\.[\s\S]*Ended the canary \/shop\/web-canary/);
  expect(await shareOf(100)).toBe(0);
  expect((await mesosup('app', 'abort', 'shop/web')).all).toContain('/shop/web has no canary');

  // The command is killed while the app is rolled; the next one resumes.
  await done('app', 'canary', 'shop/web', '--share', '30%', '--env', 'VERSION=two');
  const killed = mesosup('app', 'promote', 'shop/web');
  await until('the app is being changed', async () => {
    const { app } = (await api('GET', '/v2/apps/shop/web')) as { app: { env: { VERSION: string } } };
    return app.env.VERSION === 'two';
  });
  killed.kill('SIGKILL');
  const promoted = await done('app', 'promote', 'shop/web');
  expect(promoted).toMatch(
    /already has the definition of[\s\S]*Promoted \/shop\/web-canary to \/shop\/web\./,
  );
  expect(await shareOf(100)).toBe(100);
  isChanging = false;
  await Promise.all(clients);
  const total = [...answers.values()].reduce((sum, count) => sum + count, 0);
  console.info(`${measured.join('; ')}; ${total} requests meanwhile: ${JSON.stringify([...answers])}`);
  expect([...answers.keys()].sort(), one.log.join('\n')).toEqual(['one', 'two']);
  expect(await done('app', 'list', '-o', 'name')).toBe('/shop/web');
}, 400_000);

it('refuses what would undo the change of somebody else, and apps that can have no canary', async () => {
  await done('app', 'canary', 'shop/web', '--share', '0%', '--env', 'VERSION=three');
  await api('PATCH', '/v2/apps/shop/web', { labels: { HAPROXY_0_MODE: 'http', tier: 'other' } });
  await settled(cluster.url, CHANGE_MS);
  const errors: string[] = [];
  const refused = async (...args: string[]) => {
    const { exitCode, all } = await mesosup(...args);
    errors.push(all);
    expect({ all, exitCode }).toMatchObject({ exitCode: 2 });
    return all;
  };
  expect(await refused('app', 'promote', 'shop/web')).toContain('was changed after its canary had started');
  expect(await refused('app', 'canary', 'shop/web-canary')).toContain('is a canary itself');
  await done('app', 'abort', 'shop/web');
  // The command is killed while its canary never becomes healthy; another one aborts it.
  const stuck = mesosup('app', 'canary', 'shop/web', '--cmd', 'sleep 1000');
  await until('the canary exists', async () => (await done('app', 'list', '-o', 'name')).includes('canary'));
  stuck.kill('SIGKILL');
  expect(await done('app', 'abort', 'shop/web')).toContain('Ended the canary /shop/web-canary.');
  await api('POST', '/v2/apps', { id: '/shop/web-canary', cmd: 'sleep 1000', instances: 0 });
  expect(await refused('app', 'canary', 'shop/web')).toContain('is an app of its own');
  console.info(errors.join('\n'));
}, 200_000);
