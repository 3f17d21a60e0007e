/**
 * Containers of Mesos' own containerizers on real agents: one with `--containerizers=docker,mesos` and this machine's
 * Docker engine, and one with the linux launcher, `--image_providers=docker`, the isolators `filesystem/linux` and
 * `docker/runtime`, and a directory as `--docker_registry`, into which the image is saved. Both kinds of agents must run on
 * this machine, with ports of their own. Tests are skipped for a kind that the master does not have: the embedded agent
 * has no containers, which only the last test shows.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { findLacks } from '../../src/scheduler/domain/agents.ts';
import { BUSYBOX, makeTestImages } from '../e2e/support/busybox-image.ts';
import {
  type Agent,
  agentsFor as agentsOf,
  type Containerizer,
  findAgents,
  saveImages,
} from './support/containerizers.ts';
import { type SchedulerProcess, startScheduler } from './support/zookeeper-schedulers.ts';

interface TaskJson {
  readonly id: string;
  readonly state: string;
  readonly slaveId: string;
  readonly ports: readonly number[];
  readonly healthCheckResults?: readonly { readonly alive: boolean }[];
}

interface AppJson {
  readonly containerizer?: string;
  readonly tasks: readonly TaskJson[];
  readonly deployments: readonly unknown[];
  readonly lastTaskFailure?: { readonly message: string; readonly state: string };
}

/** The test image with an entry point, without which the Mesos containerizer runs no arguments. */
const WITH_ENTRY = 'mesosup-test/entry:1';
/** A network of Docker for the tests. */
const NETWORK = 'mesosup-containerizers';
const WITHIN = { timeout: 90_000, interval: 200 };
/** A slow Mesos on a busy machine. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const agents = await findAgents();

function agentsFor(containerizer: Containerizer): Agent[] {
  return agentsOf(agents, containerizer);
}

const hasContainers = agentsFor('docker').length + agentsFor('mesos').length > 0;

async function makeImages(): Promise<void> {
  await makeTestImages();
  await execa('docker', ['network', 'create', NETWORK]);
  const input = `FROM ${BUSYBOX}\nENTRYPOINT ["/bin/sh", "-c"]\n`;
  await execa('docker', ['build', '--tag', WITH_ENTRY, '-'], { input, env: { DOCKER_BUILDKIT: '0' } });
  await saveImages(agentsFor('mesos'), [BUSYBOX, WITH_ENTRY]);
}

let directory: string;
let scheduler: SchedulerProcess;
let url: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-containerizers-'));
  if (hasContainers) await makeImages();
  await mkdir(path.join(directory, 'page'));
  await writeFile(path.join(directory, 'page', 'index.html'), 'from the host');
  scheduler = startScheduler(
    ...['--master', inject('master'), '--data_dir', path.join(directory, 'state')],
    ...['--containerizer', 'docker', '--failover_timeout', '1', '--framework_name', 'containerizers'],
  );
  url = await scheduler.url();
});

afterAll(async () => {
  await scheduler.kill();
  if (hasContainers) {
    // Agents keep stopped containers for a while.
    await execa('docker', ['rmi', '--force', WITH_ENTRY], { reject: false });
    await execa('docker', ['network', 'rm', NETWORK], { reject: false });
  }
  await rm(directory, { recursive: true, force: true });
});

/** Removes the app, and waits until its tasks have ended. */
async function remove(id: string): Promise<void> {
  const response = await call('DELETE', `/v2/apps${id}?force=true`);
  const { deploymentId } = (await response.json()) as { deploymentId: string };
  await vi.waitFor(async () => {
    const deployments = (await (await call('GET', '/v2/deployments')).json()) as { id: string }[];
    expect(deployments.map((one) => one.id)).not.toContain(deploymentId);
  }, WITHIN);
}

async function call(method: string, route: string, body?: unknown): Promise<Response> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  return fetch(url + route, { method, headers: { 'Content-Type': 'application/json' }, ...init });
}

async function put(id: string, fields: Record<string, unknown>): Promise<void> {
  const response = await call('PUT', `/v2/apps${id}?force=true`, { cpus: 0.1, mem: 32, ...fields });
  expect(response.status, await response.text()).toBeLessThan(300);
}

async function appOf(id: string): Promise<AppJson> {
  const response = await call('GET', `/v2/apps${id}?embed=app.lastTaskFailure`);
  return ((await response.json()) as { app: AppJson }).app;
}

/** Waits until the app is deployed and has this number of healthy tasks. */
async function deployed(id: string, instances = 1): Promise<readonly TaskJson[]> {
  return vi.waitFor(async () => {
    const { tasks, deployments, lastTaskFailure } = await appOf(id);
    const running = tasks.filter(
      ({ state, healthCheckResults = [] }) =>
        state === 'TASK_RUNNING' && healthCheckResults.every(({ alive }) => alive),
    );
    expect([running.length, tasks.length, deployments], lastTaskFailure?.message).toEqual([
      instances,
      instances,
      [],
    ]);
    return running;
  }, WITHIN);
}

async function failureOf(id: string): Promise<NonNullable<AppJson['lastTaskFailure']>> {
  return vi.waitFor(async () => {
    const { lastTaskFailure } = await appOf(id);
    return lastTaskFailure ?? Promise.reject(new Error('no failure yet'));
  }, WITHIN);
}

function pageOf(task: TaskJson | undefined, route = '/', host = '127.0.0.1'): Promise<string> {
  return vi.waitFor(async () => {
    const response = await fetch(`http://${host}:${task?.ports[0]}${route}`);
    expect(response.status).toBe(200);
    return response.text();
  }, WITHIN);
}

/** How an app listens on its first port, so that clients reach it at the task's host port. */
const LISTENS: Record<Containerizer, { network: object; container: object; port: string }> = {
  docker: {
    network: { networks: [{ mode: 'container', name: NETWORK }] },
    container: { type: 'DOCKER', portMappings: [{ containerPort: 8080, hostPort: 0 }] },
    port: '8080',
  },
  // Without plugins of CNI there is only the network of the host.
  mesos: { network: { portDefinitions: [{}] }, container: { type: 'MESOS' }, port: '$PORT0' },
};

const CHECK = { intervalSeconds: 1, delaySeconds: 0 };
const HTTP_CHECK = { ...CHECK, path: '/' };

describe.each<Containerizer>(['docker', 'mesos'])('the containerizer %s of a real agent', (containerizer) => {
  const { network, container, port } = LISTENS[containerizer];
  const skipped = agentsFor(containerizer).length === 0;
  const id = (name: string) => `/${containerizer}/${name}`;
  const image = (more: object = {}) => ({ ...container, docker: { image: BUSYBOX }, ...more });

  it.skipIf(skipped)('runs cmd with environment and volumes, answers, is scaled and killed', async () => {
    const app = id('web');
    const page = { hostPath: path.join(directory, 'page'), containerPath: '/page', mode: 'RO' };
    await put(app, {
      cmd: `mkdir /tmp/w; echo "$GREETING $MESOS_TASK_ID" > /tmp/w/index.html; echo x > /page/x || cp /page/index.html /tmp/w/page.html; exec httpd -f -p ${port} -h /tmp/w`,
      env: { GREETING: 'a "$b" `c`' },
      container: image({ volumes: [page] }),
      healthChecks: [
        { protocol: 'MESOS_HTTP', ...HTTP_CHECK },
        { protocol: 'HTTP', ...HTTP_CHECK },
      ],
      ...network,
    });
    const [task] = await deployed(app);
    expect((await appOf(app)).containerizer).toBe(containerizer);
    expect(await pageOf(task)).toBe(`a "$b" \`c\` ${task?.id}\n`);
    // The volume is read-only, so the file was copied.
    expect(await pageOf(task, '/page.html')).toBe('from the host');

    await put(app, { instances: 2 });
    const both = await deployed(app, 2);
    for (const one of both) expect(await pageOf(one)).toContain(one.id);

    const killed = both.find((one) => one.id !== task?.id);
    await call('DELETE', `/v2/apps${app}/tasks/${killed?.id}`);
    await vi.waitFor(async () => {
      expect((await appOf(app)).tasks.map((one) => one.id)).not.toContain(killed?.id);
    }, WITHIN);
    await deployed(app, 2);

    await put(app, { instances: 1 });
    await deployed(app, 1);
    await remove(app);
    await expect(fetch(`http://127.0.0.1:${task?.ports[0]}/`)).rejects.toThrow();
    if (containerizer === 'docker') {
      const { stdout } = await execa('docker', ['ps', '-q', '--filter', `label=MESOS_TASK_ID=${task?.id}`]);
      expect(stdout).toBe('');
    }
  });

  it.skipIf(skipped)(
    'passes args on literally, and makes the check of a command in the container',
    async () => {
      const app = id('args');
      const words = 'test "$(cat /tmp/words)" = "\\$HOME \\"x\\" ; touch /tmp/no"';
      await put(app, {
        args: ['echo "$0" "$1" > /tmp/words; exec sleep 1000', '$HOME "x"', '; touch /tmp/no'],
        container: image({ docker: { image: WITH_ENTRY } }),
        healthChecks: [
          { protocol: 'COMMAND', command: { value: `${words} && ! test -e /tmp/no` }, ...CHECK },
        ],
        ...network,
      });
      await deployed(app);
      await remove(app);
    },
  );

  it.skipIf(skipped)('gives the container the files that the agent fetched', async () => {
    const app = id('fetched');
    await put(app, {
      cmd: `cp "$MESOS_SANDBOX/index.html" /tmp && exec httpd -f -p ${port} -h /tmp`,
      fetch: [{ uri: `file://${directory}/page/index.html` }],
      container: image(),
      ...network,
    });
    const [task] = await deployed(app);
    expect(await pageOf(task)).toBe('from the host');
    await remove(app);
  });

  it.skipIf(skipped)('says why a task failed, and replaces it', async () => {
    await put(id('exits'), { cmd: 'exit 3', container: image(), ...network });
    expect((await failureOf(id('exits'))).message).toMatch(/exited with status 3/);
    await remove(id('exits'));
  });

  it.skipIf(skipped)('says that there is no such image', async () => {
    const docker = { image: 'mesosup-test/none:1' };
    await put(id('none'), { cmd: 'true', container: { ...container, docker }, ...network });
    expect((await failureOf(id('none'))).message).toMatch(/mesosup-test\/none/);
    await remove(id('none'));
  });

  it.skipIf(skipped)('kills a task whose check fails, and starts another', async () => {
    const app = id('unhealthy');
    const check = { ...CHECK, gracePeriodSeconds: 0, maxConsecutiveFailures: 1 };
    await put(app, {
      cmd: 'exec sleep 1000',
      container: image(),
      healthChecks: [{ protocol: 'COMMAND', command: { value: 'false' }, ...check }],
      ...network,
    });
    const first = await vi.waitFor(async () => {
      const [task] = (await appOf(app)).tasks;
      return task ?? Promise.reject(new Error('no task yet'));
    }, WITHIN);
    // Mesos' executors kill it, and say why in words of their own.
    await failureOf(app);
    await vi.waitFor(async () => {
      const { tasks } = await appOf(app);
      expect(tasks.map((one) => one.id)).not.toContain(first?.id);
      expect(tasks.length).toBeGreaterThan(0);
    }, WITHIN);
    await remove(app);
  });

  it.skipIf(skipped)('ends a task that ignores SIGTERM after its grace period', async () => {
    const app = id('stubborn');
    await put(app, {
      cmd: "trap '' TERM; while :; do sleep 1; done",
      taskKillGracePeriodSeconds: 2,
      container: image(),
      ...network,
    });
    await deployed(app);
    await remove(app);
  });
});

it.skipIf(agentsFor('docker').length === 0)(
  'a container on Docker’s bridge is reached by its mapped port',
  async () => {
    await put('/bridge', {
      cmd: 'echo bridged > /tmp/index.html; exec httpd -f -p 8080 -h /tmp',
      networks: [{ mode: 'container/bridge' }],
      container: { type: 'DOCKER', docker: { image: BUSYBOX }, portMappings: [{ containerPort: 8080 }] },
      healthChecks: [{ protocol: 'MESOS_TCP', ...CHECK }],
    });
    const [task] = await deployed('/bridge');
    expect(await pageOf(task)).toBe('bridged\n');
    await remove('/bridge');
  },
);

it.skipIf(!agentsFor('mesos').some(({ cni }) => cni))(
  'a container in a network of CNI is checked at its own port, and reached by its mapped port',
  async () => {
    await put('/cni', {
      cmd: 'mkdir /tmp/w; echo mapped > /tmp/w/index.html; exec httpd -f -p 8080 -h /tmp/w',
      networks: [{ mode: 'container/bridge' }],
      container: { type: 'MESOS', docker: { image: BUSYBOX }, portMappings: [{ containerPort: 8080 }] },
      healthChecks: [{ protocol: 'MESOS_HTTP', ...HTTP_CHECK }],
    });
    const [task] = await deployed('/cni');
    // Mesos' port mapper does not map ports of the loopback address.
    const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    const outer = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
    expect(await pageOf(task, '/', outer?.address)).toBe('mapped\n');
    await remove('/cni');
  },
);

it.skipIf(agents.every(({ flags }) => !findLacks({ askedAt: 0, answered: true, flags }, 'docker').length))(
  'agents without a containerizer get none of its tasks, and are named in the queue',
  async () => {
    const container = { type: 'DOCKER', docker: { image: BUSYBOX } };
    await put('/everywhere', { cmd: 'exec sleep 1000', mode: 'daemon', container, portDefinitions: [] });
    const able = agentsFor('docker').length;
    await vi.waitFor(async () => {
      const { tasks } = await appOf('/everywhere');
      expect(tasks.filter(({ state }) => state === 'TASK_RUNNING')).toHaveLength(able);
      expect(await (await call('GET', '/v2/apps/everywhere/explain')).text()).toContain(
        'docker needed in --containerizers of the agent',
      );
    }, WITHIN);
    await remove('/everywhere');
  },
);
