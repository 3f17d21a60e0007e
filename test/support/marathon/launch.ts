/**
 * Builds tasks as Marathon does. Source: its documentation of task environment variables and networks, the messages of its
 * TaskBuilder and ContainerSerializer (1.11), and the tasks of a master.
 */

import { randomUUID } from 'node:crypto';
import type {
  CommandInfo,
  ContainerInfo,
  DiscoveryInfo,
  HealthCheck,
  Offer,
  Resource,
  TaskInfo,
} from '../../../src/mesos/types.ts';
import type { App, Task } from './model.ts';
import { portsOf } from './ports.ts';

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
  const wanted = portsOf(app).filter(({ isOnHost }) => isOnHost);
  if (rest.cpus < app.cpus || rest.mem < app.mem || rest.ports.length < wanted.length) return undefined;
  rest.cpus -= app.cpus;
  rest.mem -= app.mem;
  // Random ports, like Marathon's.
  const ports = wanted.flatMap(() => rest.ports.splice(Math.floor(Math.random() * rest.ports.length), 1));
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

/** A port of the app with those of the task. */
interface Port {
  readonly hostPort: number | undefined;
  readonly containerPort: number | undefined;
  readonly protocols: readonly string[];
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
}

function assignPorts(app: App, task: Task): Port[] {
  const left = [...task.ports];
  return portsOf(app).map(({ isOnHost, containerPort, ...rest }) => {
    const hostPort = isOnHost ? left.shift() : undefined;
    return { ...rest, hostPort, containerPort: containerPort || hostPort };
  });
}

function infoOf(task: Task, app: App, role: string): TaskInfo {
  const name = app.id.slice(1).split('/').reverse().join('.');
  const ports = assignPorts(app, task);
  const allocation_info = { role };
  const resources: Resource[] = [
    { name: 'cpus', type: 'SCALAR', scalar: { value: app.cpus }, allocation_info },
    { name: 'mem', type: 'SCALAR', scalar: { value: app.mem }, allocation_info },
  ];
  if (task.ports.length > 0) {
    const range = task.ports.map((port) => ({ begin: port, end: port }));
    resources.push({ name: 'ports', type: 'RANGES', ranges: { range }, allocation_info });
  }
  const health_check = healthCheckOf(app, ports);
  return {
    name,
    task_id: { value: task.id },
    agent_id: { value: task.slaveId },
    resources,
    command: commandOf(app, task, ports),
    ...(app.container && { container: containerOf(app, app.container, task, ports) }),
    labels: labelsOf(app.labels),
    discovery: discoveryOf(name, app, ports),
    ...(health_check && { health_check }),
  };
}

function labelsOf(labels: Readonly<Record<string, string>>) {
  return { labels: Object.entries(labels).map(([key, value]) => ({ key, value })) };
}

function commandOf({ cmd, args, container, ...app }: App, task: Task, ports: readonly Port[]): CommandInfo {
  const first = task.ports[0];
  const env: Record<string, string> = {
    MARATHON_APP_ID: app.id,
    MARATHON_APP_VERSION: app.version,
    MARATHON_APP_RESOURCE_CPUS: String(app.cpus),
    MARATHON_APP_RESOURCE_MEM: String(app.mem),
    MARATHON_APP_LABELS: Object.keys(app.labels).join(' '),
    ...(container?.type === 'DOCKER' && { MARATHON_APP_DOCKER_IMAGE: container.docker?.image ?? '' }),
    MESOS_TASK_ID: task.id,
    HOST: task.host,
    PORTS: task.ports.join(','),
    ...(first !== undefined && { PORT: String(first) }),
    ...Object.fromEntries(
      ports.flatMap(({ hostPort, containerPort, name }, i) => {
        const value = String(hostPort ?? containerPort);
        const names = [`PORT${i}`, `PORT_${containerPort}`, ...(name === undefined ? [] : [`PORT_${name}`])];
        return names.map((key) => [key.toUpperCase(), value]);
      }),
    ),
    ...app.env,
  };
  const environment = {
    variables: Object.entries(env).map(([key, value]) => ({ name: key, value })),
  };
  if (args && args.length > 0) {
    const [program = ''] = args;
    return { ...(!container && { value: program }), shell: false, arguments: args, environment };
  }
  return cmd ? { value: cmd, shell: true, environment } : { shell: false, environment };
}

function containerOf(
  { networks }: App,
  { type, docker, volumes }: Container,
  task: Task,
  ports: readonly Port[],
): ContainerInfo {
  const mappings = ports.flatMap(({ hostPort: host_port, containerPort: container_port, protocols }) =>
    host_port === undefined || container_port === undefined
      ? []
      : protocols.map((protocol) => ({ host_port, container_port, protocol })),
  );
  const mounted = volumes.map(({ containerPath, hostPath, mode }) => ({
    container_path: containerPath,
    host_path: hostPath,
    mode,
  }));
  const { mode, name } = networks[0] ?? { mode: 'host' };
  const port_mappings = mode === 'host' ? [] : mappings;
  if (type === 'MESOS') {
    return {
      type,
      volumes: mounted,
      mesos: docker
        ? {
            image: {
              type: 'DOCKER',
              docker: { name: docker.image },
              cached: !docker.forcePullImage,
            },
          }
        : {},
      ...(mode !== 'host' && {
        network_infos: [{ ip_addresses: [{}], name: name ?? 'mesos-bridge', port_mappings }],
      }),
    };
  }
  return {
    type,
    volumes: mounted,
    ...(mode === 'container' && name !== undefined && { network_infos: [{ name }] }),
    docker: {
      image: docker?.image ?? '',
      network: mode === 'container' ? 'USER' : mode === 'container/bridge' ? 'BRIDGE' : 'HOST',
      port_mappings,
      privileged: docker?.privileged ?? false,
      parameters: [...(docker?.parameters ?? []), { key: 'label', value: `MESOS_TASK_ID=${task.id}` }],
      force_pull_image: docker?.forcePullImage ?? false,
    },
  };
}

type Container = NonNullable<App['container']>;

/** A port without a host port is announced with the container's port, and with the network's name. */
function discoveryOf(name: string, { networks }: App, ports: readonly Port[]): DiscoveryInfo {
  const [network] = networks;
  const scopeOf = (hostPort: number | undefined): Record<string, string> => {
    if (network === undefined || network.mode === 'host') return {};
    if (hostPort !== undefined) return { 'network-scope': 'host' };
    return { 'network-scope': 'container', 'network-name': network.name ?? '' };
  };
  return {
    visibility: 'FRAMEWORK',
    name,
    ports: {
      ports: ports.flatMap(({ hostPort, containerPort, protocols, name: portName, labels }) =>
        protocols.map((protocol) => ({
          number: hostPort ?? containerPort ?? 0,
          ...(portName !== undefined && { name: portName }),
          protocol,
          labels: labelsOf({ ...labels, ...scopeOf(hostPort) }),
        })),
      ),
    },
  };
}

/** The check of an app that the agent makes. Mesos makes it in the network of the container. */
function healthCheckOf({ healthChecks }: App, ports: readonly Port[]): HealthCheck | undefined {
  const check = healthChecks.find(({ protocol }) => protocol === 'COMMAND' || protocol.startsWith('MESOS_'));
  if (!check) return undefined;
  const { hostPort, containerPort } = ports[check.portIndex ?? 0] ?? {};
  const port = containerPort ?? hostPort ?? 0;
  const shared = {
    delay_seconds: 0,
    interval_seconds: check.intervalSeconds,
    timeout_seconds: check.timeoutSeconds,
    consecutive_failures: check.maxConsecutiveFailures,
    grace_period_seconds: check.gracePeriodSeconds,
  };
  if (check.protocol === 'COMMAND') {
    return { ...shared, type: 'COMMAND', command: { shell: true, value: check.command?.value ?? '' } };
  }
  return { ...shared, type: 'HTTP', http: { port, path: check.path ?? '/', scheme: 'http' } };
}
