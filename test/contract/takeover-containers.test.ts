/**
 * Takes over containers that a stand-in for Marathon has launched with Mesos' Docker containerizer on a real agent with
 * `--containerizers=docker,mesos`, and with the Mesos containerizer where another agent supports images. The embedded agent
 * has no containers.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BUSYBOX, makeTestImages } from '../e2e/support/busybox-image.ts';
import { type Marathon, startMarathon } from '../support/marathon/start.ts';
import { agentsFor, findAgents, saveImages } from './support/containerizers.ts';
import { master } from './support/mesos.ts';
import { startTakeover, taskProcesses, tearDownStandIn } from './support/takeover.ts';
import { type SchedulerProcess, startScheduler } from './support/zookeeper-schedulers.ts';

const NETWORK = 'mesosup-takeover';
const WITHIN = { timeout: 90_000, interval: 200 };
/** A slow Mesos on a busy machine. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const agents = await findAgents();
const hasDocker = agentsFor(agents, 'docker').length > 0;
const withImages = agentsFor(agents, 'mesos');

/** A web server whose page is its version and its task. */
const serve = (port: string): string =>
  `mkdir /tmp/w; echo "$VERSION $MESOS_TASK_ID" > /tmp/w/index.html; exec httpd -f -p ${port} -h /tmp/w`;
const CHECK = { intervalSeconds: 1, gracePeriodSeconds: 60, timeoutSeconds: 10, maxConsecutiveFailures: 3 };
const HTTP_CHECK = { ...CHECK, path: '/', portIndex: 0 };
const WEB = { cmd: serve('8080'), cpus: 0.1, mem: 32, env: { VERSION: 'one' } };
const docker = { image: BUSYBOX };
/** In a container of the Mesos containerizer. */
const COMMAND = 'sleep 100500';
const APPS = [
  {
    ...WEB,
    id: '/shop/bridge',
    instances: 2,
    networks: [{ mode: 'container/bridge' }],
    container: {
      docker: { ...docker, parameters: [{ key: 'label', value: 'team=a "b" $c' }] },
      portMappings: [{ containerPort: 8080, name: 'http', labels: { VIP_0: '/web:80' } }],
    },
    // Made by Marathon itself.
    healthChecks: [{ ...HTTP_CHECK, protocol: 'HTTP' }],
  },
  {
    ...WEB,
    id: '/shop/user',
    networks: [{ mode: 'container', name: NETWORK }],
    // One port at the container's address only, and one for both protocols.
    container: {
      docker,
      portMappings: [{ containerPort: 8080 }, { containerPort: 8081, hostPort: 0, protocol: 'udp,tcp' }],
    },
    healthChecks: [{ ...HTTP_CHECK, protocol: 'MESOS_HTTP' }],
  },
  {
    ...WEB,
    id: '/host',
    cmd: serve('$PORT0'),
    container: { docker, volumes: [{ containerPath: '/host', hostPath: '/usr/share', mode: 'RO' as const }] },
    healthChecks: [{ ...CHECK, protocol: 'COMMAND', command: { value: 'test -d /host/doc' } }],
  },
  ...(withImages.length === 0
    ? []
    : [
        {
          id: '/ucr',
          cmd: `test ! -e /usr/share && exec ${COMMAND}`,
          cpus: 0.1,
          mem: 32,
          env: { VERSION: 'one' },
          container: { type: 'MESOS' as const, docker },
          healthChecks: [{ ...CHECK, protocol: 'COMMAND', command: { value: 'true' } }],
        },
      ]),
];
const COUNTS = {
  '/host': 1,
  '/shop/bridge': 2,
  '/shop/user': 1,
  ...(withImages.length > 0 && { '/ucr': 1 }),
};
const TASKS = Object.values(COUNTS).reduce((sum, count) => sum + count);
/** In the order of COUNTS. */
const CONTAINERIZERS = ['docker', 'docker', 'docker', ...(withImages.length > 0 ? ['mesos'] : [])];

let directory: string;
let file: string;
let data: string;
let marathon: Marathon;
let scheduler: SchedulerProcess | undefined;

interface Shown {
  id: string;
  appId: string;
  state: string;
  version: string;
  host: string;
  ports: number[];
  ipAddresses?: { ipAddress: string }[];
  healthCheckResults?: { alive: boolean }[];
}

interface Container {
  /** Docker's id, the process and the time of the start. */
  run: string;
  address: string;
  labels: Record<string, string>;
}

/** @returns the running containers of tasks of these apps, by task id */
async function containers(): Promise<Record<string, Container>> {
  const { stdout } = await execa('docker', ['ps', '-q', '--filter', 'label=MESOS_TASK_ID']);
  const ids = stdout.split('\n').filter(Boolean);
  if (ids.length === 0) return {};
  const inspected = await execa('docker', ['inspect', ...ids], { reject: false });
  const all = JSON.parse(inspected.stdout) as {
    Id: string;
    State: { Pid: number; StartedAt: string };
    Config: { Labels: Record<string, string> };
    NetworkSettings: { Networks: Record<string, { IPAddress: string }> };
  }[];
  const found = all.map(({ Id, State, Config, NetworkSettings }): [string, Container] => {
    const [network] = Object.values(NetworkSettings.Networks);
    const run = `${Id} ${State.Pid} ${State.StartedAt}`;
    return [
      Config.Labels.MESOS_TASK_ID ?? '',
      { run, address: network?.IPAddress ?? '', labels: Config.Labels },
    ];
  });
  return Object.fromEntries(found.filter(([id]) => /^(shop_bridge|shop_user|host)\./.test(id)).sort());
}

/** Identifies what runs each task of these apps, by task id. */
async function running(): Promise<Record<string, string | number>> {
  const ofDocker = Object.entries(await containers()).map(([id, { run }]) => [id, run] as const);
  return { ...Object.fromEntries(ofDocker), ...taskProcesses(COMMAND) };
}

const taskIds = (id: string, all: Record<string, Container>) =>
  Object.keys(all).filter((task) => task.startsWith(`${id}.`));

async function api<T>(method: string, route: string, body?: unknown): Promise<T> {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await fetch(`${await scheduler?.url()}${route}`, { method, headers, ...sent });
  if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

interface AppJson {
  id: string;
  containerizer?: string;
  tasks: Shown[];
  deployments: unknown[];
  lastTaskFailure?: { message: string };
}

/** Waits until all apps are deployed and healthy, with this number of tasks, whose state the master has reported. */
async function settled(counts: Record<string, number>): Promise<AppJson[]> {
  return vi.waitFor(async () => {
    const { gauges } = await api<{ gauges: Record<string, { value: number }> }>('GET', '/metrics');
    expect(gauges).toMatchObject({
      'mesosup.connected': { value: 1 },
      'mesosup.tasks.unanswered': { value: 0 },
    });
    const { apps } = await api<{ apps: AppJson[] }>(
      'GET',
      '/v2/apps?embed=apps.tasks&embed=apps.lastTaskFailure',
    );
    const healthy = apps.map(({ id, tasks }) => {
      const ready = tasks.filter(
        ({ state, healthCheckResults = [] }) =>
          state === 'TASK_RUNNING' && healthCheckResults.some(({ alive }) => alive),
      );
      return [id, ready.length, tasks.length];
    });
    expect(
      healthy,
      apps.map(({ id, lastTaskFailure }) => `${id}: ${lastTaskFailure?.message}`).join('\n'),
    ).toEqual(Object.entries(counts).map(([id, count]) => [id, count, count]));
    expect(apps.flatMap(({ deployments }) => deployments)).toEqual([]);
    return apps;
  }, WITHIN);
}

function pageOf(address: string): Promise<string> {
  return vi.waitFor(async () => (await fetch(`http://${address}/`)).text(), WITHIN);
}

describe.skipIf(!hasDocker)('containers that Marathon launched through Mesos’ containerizers', () => {
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'mesosup-containers-'));
    file = path.join(directory, 'marathon.json');
    data = path.join(directory, 'state');
    await makeTestImages();
    await saveImages(withImages, [BUSYBOX]);
    await execa('docker', ['network', 'create', NETWORK]);
    marathon = await startMarathon({ master, file });
  });

  afterAll(async () => {
    await marathon?.stop('SIGKILL');
    await scheduler?.kill();
    await tearDownStandIn(file);
    await vi.waitFor(async () => expect(await running()).toEqual({}), WITHIN);
    await execa('docker', ['network', 'rm', NETWORK], { reject: false });
    await rm(directory, { recursive: true, force: true });
  });

  it('keep running and become instances of their apps', async () => {
    for (const app of APPS) await marathon.app(app);
    const shown = await vi.waitFor(async () => {
      const { tasks } = await marathon.get<{ tasks: Shown[] }>('/v2/tasks');
      expect(tasks.filter((task) => task.healthCheckResults?.every(({ alive }) => alive))).toHaveLength(
        TASKS,
      );
      return tasks;
    }, WITHIN);
    const before = await running();
    const addresses = await containers();
    expect(Object.keys(before)).toEqual(shown.map(({ id }) => id).sort());

    const { ended } = await startTakeover(marathon.url, data, '--yes');
    await marathon.stop('SIGKILL');
    const { exitCode, stdout, stderr } = await ended;
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain(`${data} now holds ${APPS.length} apps and ${TASKS} tasks of framework `);

    scheduler = startScheduler(
      ...['--master', master, '--data_dir', data, '--reconciliation_initial_delay', '500'],
    );
    const apps = await settled(COUNTS);
    expect(apps.map(({ containerizer }) => containerizer)).toEqual(CONTAINERIZERS);
    const facts = ({ id, version, host, ports }: Shown) => ({ id, version, host, ports });
    const tasks = apps.flatMap((app) => app.tasks);
    expect(tasks.map(facts).sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
      shown.map(facts).sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
    expect(await running()).toEqual(before);
    for (const { id, appId, ports, ipAddresses = [] } of tasks) {
      const { address = '' } = addresses[id] ?? {};
      if (appId === '/ucr') continue;
      if (appId === '/shop/user') {
        expect(ipAddresses.map(({ ipAddress }) => ipAddress)).toEqual([address]);
        expect(await pageOf(`${address}:8080`)).toBe(`one ${id}\n`);
      } else {
        expect(await pageOf(`127.0.0.1:${ports[0]}`)).toBe(`one ${id}\n`);
      }
    }
  });

  it('are killed and replaced by the scheduler', async () => {
    const before = await containers();
    const [killed = '', kept = ''] = taskIds('shop_bridge', before);
    await api('DELETE', `/v2/apps/shop/bridge/tasks/${killed}`);
    await vi.waitFor(async () => expect(await containers()).not.toHaveProperty(killed), WITHIN);
    await settled(COUNTS);
    const after = await containers();
    expect(taskIds('shop_bridge', after)).toHaveLength(2);
    expect(after[kept]).toEqual(before[kept]);
    const [launched = ''] = taskIds('shop_bridge', after).filter((id) => id !== kept);
    // As Marathon's, with its parameters.
    const labelsOf = (id: string) => ({ ...after[id]?.labels, MESOS_TASK_ID: '' });
    expect(labelsOf(launched)).toEqual(labelsOf(kept));
    expect(labelsOf(kept)).toMatchObject({ team: 'a "b" $c' });

    await api('PUT', '/v2/apps/shop/bridge', { instances: 1 });
    await settled({ ...COUNTS, '/shop/bridge': 1 });
  });

  it('are replaced by a deployment, through the same containerizer', async () => {
    const before = await running();
    for (const { id } of APPS) {
      await api('PUT', `/v2/apps${id}`, { env: { VERSION: 'two' } });
    }
    const apps = await settled({ ...COUNTS, '/shop/bridge': 1 });
    expect(apps.map(({ containerizer }) => containerizer)).toEqual(CONTAINERIZERS);
    const after = await running();
    const addresses = await containers();
    const tasks = apps.flatMap((app) => app.tasks);
    expect(Object.keys(after)).toEqual(tasks.map(({ id }) => id).sort());
    expect(Object.keys(after).filter((id) => id in before)).toEqual([]);
    for (const { id, appId, ports } of tasks) {
      if (appId === '/ucr') continue;
      const address = appId === '/shop/user' ? `${addresses[id]?.address}:8080` : `127.0.0.1:${ports[0]}`;
      expect(await pageOf(address)).toBe(`two ${id}\n`);
    }
  });
});
