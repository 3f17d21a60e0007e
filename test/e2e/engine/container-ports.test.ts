/**
 * What the API shows of the ports of containers is what answers there, in each combination of network, ports and check.
 * MESOSUP_TEST_ALL_PORTS=1 runs all combinations, otherwise each form of ports with some of the checks.
 */

import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DiscoveryInfo } from '../../../src/mesos/types.ts';
import { until } from '../demo-cluster.ts';
import { BUSYBOX, makeTestImages } from '../support/busybox-image.ts';
import { removeContainersOf } from '../support/executor-process.ts';
import { type SchedulerCluster, startSchedulerCluster } from '../support/scheduler-cluster.ts';

const NETWORK = `mesosup-ports-${process.pid}`;

/** A form of ports. The container listens on the ports of `listens`, words of its shell; `checked` is the index of a check. */
interface Form {
  readonly network: 'host' | 'bridge' | 'user';
  readonly portDefinitions?: readonly unknown[];
  readonly requirePorts?: true;
  readonly portMappings?: readonly unknown[];
  readonly listens: readonly string[];
  /** The port in the network of the container, where a fixed port of a check is possible. */
  readonly fixed?: number;
  readonly checked?: number;
}

const held = 31_000 + (process.pid % 900);

const FORMS: Readonly<Record<string, Form>> = {
  'host-offered': { network: 'host', portDefinitions: [{ name: 'a' }, {}], listens: ['$PORT0', '$PORT1'] },
  'host-required': {
    network: 'host',
    portDefinitions: [{ port: held, name: 'a' }],
    requirePorts: true,
    listens: ['$PORT_A'],
    fixed: held,
  },
  'bridge-mapped': {
    network: 'bridge',
    portMappings: [{ containerPort: 80, hostPort: 0, name: 'a' }],
    listens: ['80'],
    fixed: 80,
  },
  'bridge-implied': {
    network: 'bridge',
    portMappings: [{ containerPort: 80 }, { containerPort: 81, name: 'a' }],
    listens: ['80', '81'],
    fixed: 81,
    checked: 1,
  },
  'bridge-equal': { network: 'bridge', portMappings: [{ name: 'a' }], listens: ['$PORT0'] },
  'bridge-required': {
    network: 'bridge',
    portMappings: [{ containerPort: 80, hostPort: held + 1, name: 'a', protocol: 'udp,tcp' }],
    listens: ['80'],
    fixed: 80,
  },
  'user-own': {
    network: 'user',
    portMappings: [{ containerPort: 80, name: 'a' }],
    listens: ['80'],
    fixed: 80,
  },
  'user-mapped': {
    network: 'user',
    portMappings: [{ containerPort: 80, hostPort: 0, name: 'a' }],
    listens: ['80'],
    fixed: 80,
  },
  'user-mixed': {
    network: 'user',
    portMappings: [
      { containerPort: 81, hostPort: 0 },
      { containerPort: 80, name: 'a' },
    ],
    listens: ['80', '81'],
    fixed: 80,
    checked: 1,
  },
  'user-any': { network: 'user', portMappings: [{ name: 'a' }], listens: ['$PORT0'] },
  'user-equal': { network: 'user', portMappings: [{ hostPort: 0, name: 'a' }], listens: ['$PORT_A'] },
  'user-none': { network: 'user', portMappings: [], listens: ['80'], fixed: 80 },
};

const CHECKS = ['none', 'HTTP', 'TCP', 'MESOS_HTTP', 'MESOS_TCP', 'COMMAND', 'readiness'] as const;
type Check = (typeof CHECKS)[number] | `${'HTTP' | 'TCP' | 'MESOS_HTTP' | 'MESOS_TCP'}-fixed`;
const FIXED = ['HTTP-fixed', 'TCP-fixed', 'MESOS_HTTP-fixed', 'MESOS_TCP-fixed'] as const;

const NETWORKS = {
  host: [{ mode: 'host' }],
  bridge: [{ mode: 'container/bridge' }],
  user: [{ mode: 'container', name: NETWORK }],
};

/** True if the check is possible with this form: the scheduler's fixed port is one of the host where that publishes ports. */
function isPossible(form: Form, check: Check): boolean {
  const isFixed = check.endsWith('-fixed');
  const onHost = /^(HTTP|TCP)-/.test(check);
  if (isFixed) return form.fixed !== undefined && !(onHost && form.network === 'bridge');
  return check === 'none' || check === 'COMMAND' || form.listens.length === 0 || hasPorts(form);
}

function hasPorts({ portDefinitions, portMappings }: Form): boolean {
  return (portDefinitions ?? portMappings ?? []).length > 0;
}

interface Case {
  readonly id: string;
  readonly form: Form;
  readonly check: Check;
}

const all: Case[] = Object.entries(FORMS).flatMap(([name, form]) =>
  [...CHECKS, ...FIXED]
    .filter((check) => isPossible(form, check))
    .map((check) => ({ id: `/${name}.${check.toLowerCase().replaceAll('_', '-')}`, form, check })),
);
/** Only one app can have a required port. */
const isAlone = ({ form }: Case) => form.requirePorts === true || form === FORMS['bridge-required'];

function selected(): Case[] {
  const free = all.filter((one) => !isAlone(one));
  const few = (one: Case, i: number) => i % 4 === 0 || (one.form === FORMS['user-own'] && i % 2 === 0);
  const alone = Object.values(FORMS).flatMap((form) =>
    all.filter((one) => one.form === form && isAlone(one)).slice(1, 2),
  );
  return [...(process.env.MESOSUP_TEST_ALL_PORTS ? free : free.filter(few)), ...alone];
}

const QUICK = { gracePeriodSeconds: 60, intervalSeconds: 1, delaySeconds: 0, maxConsecutiveFailures: 1000 };

function checksOf({ form, check }: Case): Record<string, unknown> {
  const [protocol, fixed] = check.split('-');
  if (check === 'none') return {};
  if (check === 'readiness')
    return { readinessChecks: [{ portName: 'a', intervalSeconds: 2, timeoutSeconds: 1 }] };
  if (check === 'COMMAND') {
    return { healthChecks: [{ protocol, command: { value: 'true' }, ...QUICK }] };
  }
  const port = fixed === undefined ? { portIndex: form.checked ?? 0 } : { port: form.fixed };
  return { healthChecks: [{ protocol, ...port, ...QUICK }] };
}

function appOf(one: Case): Record<string, unknown> {
  const { network, listens, portDefinitions, portMappings, requirePorts } = one.form;
  const servers = listens.map((port) => `httpd -p ${port} -h /www;`).join(' ');
  return {
    id: one.id,
    cmd: `busybox mkdir /www; printf %s "$MARATHON_APP_ID" >/www/index.html; ${servers} exec sleep 1000`,
    cpus: 0.01,
    mem: 16,
    container: { type: 'DOCKER', docker: { image: BUSYBOX }, ...(portMappings && { portMappings }) },
    networks: NETWORKS[network],
    ...(portDefinitions && { portDefinitions }),
    ...(requirePorts && { requirePorts }),
    ...checksOf(one),
  };
}

let cluster: SchedulerCluster;

beforeAll(async () => {
  await makeTestImages();
  await execa('docker', ['network', 'create', NETWORK]);
  cluster = await startSchedulerCluster({ cluster: NETWORK });
});
afterAll(async () => {
  await cluster?.stop();
  // Docker removes a network only without containers.
  await removeContainersOf(NETWORK);
  await execa('docker', ['network', 'rm', NETWORK], { reject: false });
}, 600_000);

interface TaskJson {
  id: string;
  host: string;
  ports: number[];
  servicePorts: number[];
  ipAddresses: { ipAddress: string }[];
  healthCheckResults?: { alive: boolean }[];
}

async function json<T>(path: string, init: RequestInit = {}): Promise<T> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  const answer = await fetch(`${cluster.url}${path}`, { headers, ...init });
  const body = (await answer.json()) as T;
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${JSON.stringify(body)}`);
  return body;
}

async function text(path: string): Promise<string[]> {
  const answer = await fetch(`${cluster.url}${path}`, { headers: { accept: 'text/plain' } });
  return (await answer.text()).split('\n').filter((line) => line !== '');
}

const served = async (address: string) => (await fetch(`http://${address}/`)).text();

describe('containers', () => {
  const cases = selected();
  /** The tasks of all apps, and what the master shows of them. */
  let tasks: Map<string, TaskJson>;
  let discovered: Map<string, DiscoveryInfo>;
  let lines: string[];
  let endpoints: { id: string; ports: number[]; instances: { host: string; ports: number[] }[] }[];

  beforeAll(async () => {
    await json('/v2/groups', { method: 'PUT', body: JSON.stringify({ id: '/', apps: cases.map(appOf) }) });
    const tasksOf = async () => (await json<{ tasks: (TaskJson & { appId: string })[] }>('/v2/tasks')).tasks;
    await until(
      'the deployment has ended',
      async () => (await json<unknown[]>('/v2/deployments')).length === 0,
      480_000,
    );
    tasks = new Map((await tasksOf()).map((task) => [task.appId, task]));
    lines = await text('/v2/tasks');
    endpoints = await json('/v1/endpoints');
    const answer = await fetch(`http://${cluster.mesos.master}/tasks?limit=1000`);
    const { tasks: known } = (await answer.json()) as { tasks: { id: string; discovery: DiscoveryInfo }[] };
    discovered = new Map(known.map(({ id, discovery }) => [id, discovery]));
  }, 600_000);

  test.for(cases.map((one) => [one.id, one] as const))('%s', async ([id, one]) => {
    const task = tasks.get(id);
    if (!task) throw new Error(`${id} has no task`);
    const { form, check } = one;
    const count = (form.portDefinitions ?? form.portMappings ?? []).length;
    expect(task.servicePorts).toHaveLength(count);
    expect(new Set(task.servicePorts)).not.toContain(0);
    if (check !== 'none' && check !== 'readiness')
      expect(task.healthCheckResults).toMatchObject([{ alive: true }]);

    // The text form: one line for each service port, with an address that serves this app.
    const own = lines.map((line) => line.split('\t')).filter(([name]) => name === id.slice(1));
    if (count > 0) expect(own.map(([, port]) => Number(port))).toEqual(task.servicePorts);
    const addresses = own.map(([, , address = '']) => address);
    for (const address of count > 0 ? addresses : []) expect(await served(address)).toBe(id);

    // v1: all ports of an instance are at its host.
    const endpoint = endpoints.find((entry) => entry.id === id.slice(1));
    expect(endpoint?.ports).toEqual(task.servicePorts);
    const [instance] = endpoint?.instances ?? [];
    expect(instance?.ports).toHaveLength(count);
    for (const port of instance?.ports ?? []) expect(await served(`${instance?.host}:${port}`)).toBe(id);

    // The address of the container itself, as marathon-lb uses it.
    const [ip] = task.ipAddresses;
    if (form.network === 'user') {
      const port = form.fixed ?? (task.ports[0] || task.servicePorts[0]);
      expect(await served(`${ip?.ipAddress}:${port}`)).toBe(id);
    }

    // Discovery by the master names the same ports, and the network in which they are.
    const ports = discovered.get(task.id)?.ports?.ports ?? [];
    const isOwn = (labels: DiscoveryInfo['labels']) =>
      labels?.labels.some(({ key, value }) => key === 'network-scope' && value === 'container');
    for (const { number, labels, protocol } of ports.filter((port) => port.protocol !== 'udp')) {
      expect(protocol).toBe('tcp');
      expect(addresses).toContain(`${isOwn(labels) ? ip?.ipAddress : task.host}:${number}`);
    }
    expect(ports.filter(({ protocol }) => protocol === 'tcp')).toHaveLength(count);
  });
});

test.each(['HTTP', 'TCP', 'MESOS_HTTP', 'MESOS_TCP'])(
  'a check %s of a port on which nothing listens fails, at the address of the container and on the host',
  async (protocol) => {
    const form: Form = {
      network: 'user',
      portMappings: [{ containerPort: 9 }, { containerPort: 8, hostPort: 0 }],
      listens: ['80'],
    };
    const apps = [0, 1].map((portIndex) => ({
      ...appOf({
        id: `/unserved-${portIndex}.${protocol.toLowerCase().replace('_', '-')}`,
        form,
        check: 'none',
      }),
      healthChecks: [{ protocol, portIndex, ...QUICK, gracePeriodSeconds: 0 }],
    }));
    for (const app of apps) await json('/v2/apps', { method: 'POST', body: JSON.stringify(app) });
    for (const { id } of apps as readonly { id?: unknown }[]) {
      await until(`${id} is unhealthy`, async () => {
        const { tasks } = await json<{ tasks: TaskJson[] }>(`/v2/apps${id}/tasks`);
        return tasks[0]?.healthCheckResults?.[0]?.alive === false;
      });
    }
  },
);
