/**
 * A takeover of a live Marathon under traffic: its tasks answer requests through haproxy all the time, keep their ids and
 * processes, and then are replaced by rolling updates. Runs 100 tasks of 20 apps with MESOSUP_SOAK_FACTOR.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  describeEmbedded,
  type Embedded,
  startEmbedded,
  stopEmbedded,
} from '../contract/support/embedded.ts';
import { type SchedulerProcess, startScheduler } from '../contract/support/zookeeper-schedulers.ts';
import { type Marathon, startMarathon } from '../support/marathon/start.ts';
import { runs } from '../support/runs.ts';
import { mesosup, until } from './demo-cluster.ts';
import { startHaproxyFor } from './support/haproxy.ts';
import { requestText } from './support/request-text.ts';
import { settled } from './support/scheduler-cluster.ts';

const APPS = Math.min(20, runs(4));
const MANY = runs(1) > 1;
const INSTANCES = MANY ? 5 : 3;
const LONG_MS = 60_000 * (MANY ? 8 : 2);
const PAUSE_MS = 20;
const ids = Array.from({ length: APPS }, (_, i) => `/shop/web${i}`);

let directory: string;
let mesos: Embedded;
let marathon: Marathon;
let scheduler: SchedulerProcess | undefined;
let master: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-takeover-'));
  mesos = await describeEmbedded(path.join(directory, 'mesos'));
  // Other ports than those of other clusters on this machine: their tasks would answer requests.
  mesos.resources = 'cpus:8;mem:8192;disk:10000;ports:[24000-24999]';
  if (process.env.MESOSUP_TEST_MASTER === undefined) {
    await startEmbedded(mesos, 'master');
    await startEmbedded(mesos, 'agent');
  }
  master = process.env.MESOSUP_TEST_MASTER ?? mesos.master;
  marathon = await standIn();
});

afterAll(async () => {
  await marathon?.stop('SIGKILL');
  if (scheduler) {
    const url = await scheduler.url();
    await fetch(`${url}/v2/groups?force=true`, { method: 'DELETE' });
    await settled(url, LONG_MS).catch((error: unknown) => console.warn(error));
    await scheduler.kill();
  }
  if (process.env.MESOSUP_TEST_MASTER === undefined) await stopEmbedded(mesos);
  await rm(directory, { recursive: true, force: true });
}, LONG_MS);

function standIn(): Promise<Marathon> {
  return startMarathon({ master, file: path.join(directory, 'marathon.json') });
}

/** A web server whose page is its version. Marathon makes the checks of every second app itself. */
function web(id: string, i: number) {
  return {
    id,
    cmd: 'mkdir www; echo $VERSION > www/index.html; exec /usr/bin/busybox httpd -f -p $PORT0 -h www',
    env: { VERSION: 'one' },
    cpus: 0.02,
    mem: 16,
    instances: INSTANCES,
    healthChecks: [
      {
        protocol: i % 2 === 0 ? 'HTTP' : 'MESOS_HTTP',
        path: '/',
        portIndex: 0,
        intervalSeconds: 1,
        gracePeriodSeconds: 60,
        timeoutSeconds: 10,
        maxConsecutiveFailures: 30,
      },
    ],
  };
}

interface Tasks {
  tasks: {
    id: string;
    appId: string;
    host: string;
    ports: number[];
    startedAt?: string;
    healthCheckResults?: { alive: boolean }[];
  }[];
}

async function tasksOf(url: string): Promise<Tasks['tasks']> {
  const answer = await fetch(`${url}/v2/tasks`, { headers: { Accept: 'application/json' } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return ((await answer.json()) as Tasks).tasks;
}

function isHealthy({ healthCheckResults = [] }: Tasks['tasks'][number]): boolean {
  return healthCheckResults.length > 0 && healthCheckResults.every(({ alive }) => alive);
}

/** The healthy tasks by app; the last ones while neither Marathon nor the scheduler answers, as load balancers do. */
function endpointReader(url: () => string): () => Promise<Record<string, string[]>> {
  let last: Record<string, string[]> = {};
  return async () => {
    try {
      last = url() === marathon.url ? byApp(await tasksOf(marathon.url)) : await endpoints(url());
    } catch {
      // Keeps the last ones.
    }
    return last;
  };
}

function byApp(tasks: Tasks['tasks']): Record<string, string[]> {
  const healthy = tasks.filter(isHealthy);
  return Object.fromEntries(
    ids.map((id) => [
      id,
      healthy
        .filter(({ appId }) => appId === id)
        .map(({ host, ports }) => `${host}:${ports[0]}`)
        .sort(),
    ]),
  );
}

/** Like `/v2/tasks`, without tasks that are about to be killed. */
async function endpoints(url: string): Promise<Record<string, string[]>> {
  const answer = await fetch(`${url}/v1/endpoints`);
  if (!answer.ok) throw new Error(`${answer.status}`);
  const lines = (await answer.text()).split('\n').map((line) => line.split(' '));
  return Object.fromEntries(
    ids.map((id) => {
      const [, , ...all] = lines.find(([name]) => name === id.slice(1).replaceAll('/', '_')) ?? [];
      return [id, all.filter(Boolean).sort()];
    }),
  );
}

async function put(url: string, id: string, body: object): Promise<void> {
  const answer = await fetch(`${url}/v2/apps${id}`, { method: 'PUT', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${id}: ${answer.status} ${await answer.text()}`);
}

it(
  `takes over ${APPS * INSTANCES} tasks of ${APPS} apps and rolls every app, without a failed request or a restarted task`,
  async () => {
    for (const [i, id] of ids.entries()) await marathon.app(web(id, i));
    await until(
      'all tasks of Marathon are healthy',
      async () => (await tasksOf(marathon.url)).filter(isHealthy).length === APPS * INSTANCES,
      LONG_MS,
    );
    const before = await tasksOf(marathon.url);

    let source = marathon.url;
    let isOver = false;
    const changes = (async function* () {
      while (!isOver) {
        await sleep(300);
        yield undefined;
      }
    })();
    const haproxy = await startHaproxyFor(
      ids,
      endpointReader(() => source),
      changes,
      directory,
    );
    const answers = new Map<string, number>();
    const agent = new Agent({ keepAlive: false });
    const client = async (first: number): Promise<void> => {
      for (let i = first; !isOver; i += 1) {
        const answer = await requestText(haproxy.urls[i % APPS] ?? '', agent);
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
        await sleep(PAUSE_MS);
      }
    };
    const clients = [0, 1].map((first) => client(first * 2));
    try {
      const data = path.join(directory, 'scheduler');
      const running = mesosup('scheduler', 'takeover', marathon.url, '--data-dir', data, '--yes');
      await new Promise<void>((resolve) => {
        running.stderr?.on('data', (chunk) => {
          if (String(chunk).includes('waiting until Marathon is stopped')) resolve();
        });
        void running.then(() => resolve());
      });
      // As by an operator in a hurry.
      await marathon.stop('SIGKILL');
      const { exitCode, stdout, stderr } = await running;
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain(`${APPS} apps and ${APPS * INSTANCES} tasks`);

      scheduler = startScheduler(
        '--master',
        master,
        '--data_dir',
        data,
        '--reconciliation_initial_delay',
        '500',
      );
      const url = await scheduler.url();
      source = url;
      await until('all tasks are healthy', async () => {
        const tasks = await tasksOf(url);
        return tasks.filter(isHealthy).length === APPS * INSTANCES;
      });
      // Longer than the reconciliation of all tasks and the first checks of the scheduler.
      await sleep(3000);
      const facts = (tasks: Tasks['tasks']) =>
        tasks.map(({ id, host, ports, startedAt }) => `${id} ${host} ${ports} ${startedAt}`).sort();
      expect(facts(await tasksOf(url))).toEqual(facts(before));
      expect([...answers.keys()]).toEqual(['one']);

      for (const id of ids) {
        await put(url, id, {
          env: { VERSION: 'two' },
          drainSeconds: 2,
          upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: MANY ? 0.2 : 1 },
        });
      }
      expect(await settled(url, LONG_MS)).toBe(true);
      const after = await tasksOf(url);
      expect(after).toHaveLength(APPS * INSTANCES);
      expect(after.filter(({ id }) => before.some((task) => task.id === id))).toEqual([]);
      await until('haproxy has only the new tasks', async () => (await fetch(haproxy.urls[0] ?? '')).ok);
    } finally {
      isOver = true;
      await Promise.all(clients);
      await haproxy.stop();
      const total = [...answers.values()].reduce((sum, count) => sum + count, 0);
      console.info(`${total} requests, ${haproxy.reloads()} reloads: ${JSON.stringify([...answers])}`);
    }
    expect([...answers.keys()].sort()).toEqual(['one', 'two']);
  },
  LONG_MS * 2,
);
