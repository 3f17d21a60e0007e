/** Builds tasks as Marathon does. Source: its documentation of task environment variables, and the tasks of a master. */

import { randomUUID } from 'node:crypto';
import type { DiscoveryInfo, Offer, Resource, TaskInfo } from '../../../src/mesos/types.ts';
import type { App, Task } from './model.ts';

/** What is left of an offer. */
export interface Rest {
  readonly offer: Offer;
  cpus: number;
  mem: number;
  ports: number[];
}

export function restOf(offer: Offer): Rest {
  const scalar = (name: string): number =>
    offer.resources
      .filter((one) => one.name === name)
      .reduce((sum, { scalar: amount }) => sum + (amount?.value ?? 0), 0);
  const ports = offer.resources
    .filter(({ name }) => name === 'ports')
    .flatMap(({ ranges }) => ranges?.range ?? [])
    .flatMap(({ begin, end }) => Array.from({ length: end - begin + 1 }, (_, i) => begin + i));
  return { offer, cpus: scalar('cpus'), mem: scalar('mem'), ports };
}

export type Launch = { readonly info: TaskInfo; readonly task: Task };

/** @returns undefined if the rest of the offer is too small, which is then unchanged */
export function launchOn(rest: Rest, app: App, role: string): Launch | undefined {
  if (rest.cpus < app.cpus || rest.mem < app.mem || rest.ports.length < app.portDefinitions.length)
    return undefined;
  rest.cpus -= app.cpus;
  rest.mem -= app.mem;
  // Random ports, like Marathon's.
  const ports = app.portDefinitions.flatMap(() =>
    rest.ports.splice(Math.floor(Math.random() * rest.ports.length), 1),
  );
  const { agent_id, hostname } = rest.offer;
  const flat = app.id.slice(1).replaceAll('/', '_');
  // Tasks from before Marathon 1.4 have the older form.
  const id =
    app.labels.STAND_IN_IDS === 'old' ? `${flat}.${randomUUID()}` : `${flat}.instance-${randomUUID()}._app.1`;
  const task: Task = {
    id,
    appId: app.id,
    slaveId: agent_id.value,
    host: hostname,
    ports,
    version: app.version,
    state: 'TASK_STAGING',
    stagedAt: new Date().toISOString(),
  };
  return { task, info: infoOf(task, app, role) };
}

function infoOf(task: Task, app: App, role: string): TaskInfo {
  const name = app.id.slice(1).split('/').reverse().join('.');
  const { ports } = task;
  const env: Record<string, string> = {
    MARATHON_APP_ID: app.id,
    MARATHON_APP_VERSION: app.version,
    MARATHON_APP_RESOURCE_CPUS: String(app.cpus),
    MARATHON_APP_RESOURCE_MEM: String(app.mem),
    MARATHON_APP_LABELS: Object.keys(app.labels).join(' '),
    MESOS_TASK_ID: task.id,
    HOST: task.host,
    PORTS: ports.join(','),
    ...(ports[0] !== undefined && { PORT: String(ports[0]) }),
    ...Object.fromEntries(ports.map((port, i) => [`PORT${i}`, String(port)])),
    ...app.env,
  };
  const check = app.healthChecks.find(({ protocol }) => protocol.startsWith('MESOS_'));
  const discovery: DiscoveryInfo = {
    visibility: 'FRAMEWORK',
    name,
    ports: {
      ports: app.portDefinitions.map(({ protocol, name: portName }, i) => ({
        number: ports[i] ?? 0,
        ...(portName !== undefined && { name: portName }),
        protocol,
      })),
    },
  };
  const allocation_info = { role };
  const resources: Resource[] = [
    { name: 'cpus', type: 'SCALAR', scalar: { value: app.cpus }, allocation_info },
    { name: 'mem', type: 'SCALAR', scalar: { value: app.mem }, allocation_info },
  ];
  if (ports.length > 0) {
    const range = ports.map((port) => ({ begin: port, end: port }));
    resources.push({ name: 'ports', type: 'RANGES', ranges: { range }, allocation_info });
  }
  const info = {
    name,
    task_id: { value: task.id },
    agent_id: { value: task.slaveId },
    resources,
    command: {
      value: app.cmd,
      shell: true,
      environment: { variables: Object.entries(env).map(([key, value]) => ({ name: key, value })) },
    },
    labels: { labels: Object.entries(app.labels).map(([key, value]) => ({ key, value })) },
    discovery,
    ...(check && {
      health_check: {
        type: 'HTTP' as const,
        delay_seconds: 0,
        interval_seconds: check.intervalSeconds,
        timeout_seconds: check.timeoutSeconds,
        consecutive_failures: check.maxConsecutiveFailures,
        grace_period_seconds: check.gracePeriodSeconds,
        http: { port: ports[check.portIndex ?? 0] ?? 0, path: check.path ?? '/', scheme: 'http' },
      },
    }),
  };
  return info;
}
