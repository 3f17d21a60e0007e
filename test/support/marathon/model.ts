/** The state of the stand-in for Marathon, and its answers. Source of the fields: the RAML of Marathon 1.11. */

import type { TaskState } from '../../../src/mesos/types.ts';
import { isOnHost, portsOf } from './ports.ts';

export interface StandInOptions {
  /** `host:port` of a Mesos master. */
  master: string;
  /** File with the state, so that it can be killed and started again. */
  file: string;
  /** 0: any free port. */
  port: number;
  user: string;
  role: string;
  principal?: string;
  checkpoint?: boolean;
  failoverTimeout: number;
  /** Address of the ZooKeeper in which it stands for election. Absent: it leads at once. */
  zk?: string;
  /** Milliseconds; Marathon's --zk_session_timeout. */
  zkSessionTimeout: number;
}

export interface Container {
  type: 'DOCKER' | 'MESOS';
  docker?: {
    image: string;
    privileged: boolean;
    forcePullImage: boolean;
    parameters: { key: string; value: string }[];
  };
  volumes: { containerPath: string; hostPath: string; mode: 'RO' | 'RW' }[];
  portMappings?: {
    containerPort: number;
    /** Absent: the port is reached at the container's address only. */
    hostPort?: number;
    servicePort: number;
    protocol: string;
    name?: string;
    labels: Record<string, string>;
  }[];
}

/** As posted: with the defaults left out. */
export interface SentContainer extends Partial<Omit<Container, 'docker' | 'portMappings'>> {
  docker?: Partial<Container['docker']>;
  portMappings?: Partial<NonNullable<Container['portMappings']>[number]>[];
}

export interface SentApp extends Partial<Omit<AppFields, 'container'>> {
  id: string;
  container?: SentContainer;
  [more: string]: unknown;
}

export interface App extends AppFields {
  [more: string]: unknown;
}

interface AppFields {
  id: string;
  cmd?: string;
  args?: string[];
  cpus: number;
  mem: number;
  instances: number;
  env: Record<string, string>;
  labels: Record<string, string>;
  portDefinitions: { port: number; protocol: string; name?: string; labels: Record<string, string> }[];
  networks: { mode: string; name?: string }[];
  container?: Container;
  healthChecks: {
    protocol: string;
    path?: string;
    command?: { value: string };
    portIndex?: number;
    gracePeriodSeconds: number;
    intervalSeconds: number;
    timeoutSeconds: number;
    maxConsecutiveFailures: number;
  }[];
  version: string;
  versionInfo: { lastScalingAt: string; lastConfigChangeAt: string };
}

export interface Task {
  id: string;
  appId: string;
  slaveId: string;
  host: string;
  ports: number[];
  version: string;
  state: TaskState;
  stagedAt: string;
  startedAt?: string;
  healthy?: boolean;
}

export interface State {
  frameworkId?: string;
  apps: Record<string, App>;
  /** Earlier definitions, by id and version. */
  versions: Record<string, App>;
  pods: { id: string; cmd: string }[];
  tasks: Record<string, Task>;
  /** Answers of `GET /v2/deployments`, which tests set. */
  deployments: unknown[];
}

const SECONDS = {
  gracePeriodSeconds: 300,
  intervalSeconds: 60,
  timeoutSeconds: 20,
  maxConsecutiveFailures: 3,
};

let servicePort = 10_100;

/** Fills in the fields that Marathon shows. */
export function completeApp(sent: SentApp, before: App | undefined): App {
  const version = new Date().toISOString();
  const onlyScales =
    before !== undefined &&
    Object.entries(sent).every(
      ([name, value]) => name === 'instances' || JSON.stringify(value) === JSON.stringify(before[name]),
    );
  const lastConfigChangeAt = onlyScales ? before.versionInfo.lastConfigChangeAt : version;
  const { container: sentContainer, ...fields } = sent;
  const { healthChecks = before?.healthChecks ?? [], portDefinitions } = fields;
  const networks = sent.networks ?? before?.networks ?? [{ mode: 'host' }];
  const container = sentContainer ? completeContainer(sentContainer, networks) : before?.container;
  const ownPorts = isOnHost(networks)
    ? [{ port: servicePort++, protocol: 'tcp', name: 'default', labels: {} }]
    : [];
  return {
    acceptedResourceRoles: ['*'],
    backoffFactor: 1.15,
    backoffSeconds: 1,
    cpus: 1,
    disk: 0,
    executor: '',
    instances: 1,
    labels: {},
    maxLaunchDelaySeconds: 300,
    mem: 128,
    gpus: 0,
    requirePorts: false,
    upgradeStrategy: { maximumOverCapacity: 1, minimumHealthCapacity: 1 },
    killSelection: 'YOUNGEST_FIRST',
    unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    role: '*',
    dependencies: [],
    env: {},
    constraints: [],
    fetch: [],
    ...before,
    ...fields,
    networks,
    ...(container && { container }),
    portDefinitions: portDefinitions ?? before?.portDefinitions ?? ownPorts,
    healthChecks: healthChecks.map((check) => ({
      ...SECONDS,
      ...(check.protocol !== 'COMMAND' && { portIndex: 0 }),
      ...check,
    })),
    version,
    versionInfo: { lastScalingAt: version, lastConfigChangeAt },
  };
}

function completeContainer({ docker, ...sent }: SentContainer, networks: App['networks']): Container {
  const isBridged = networks.some(({ mode }) => mode === 'container/bridge');
  const portMappings = (sent.portMappings ?? []).map((one) => ({
    containerPort: 0,
    ...(isBridged && { hostPort: 0 }),
    servicePort: servicePort++,
    protocol: 'tcp',
    labels: {},
    ...one,
  }));
  return {
    type: 'DOCKER',
    volumes: [],
    ...sent,
    portMappings,
    ...(docker && {
      docker: { image: '', privileged: false, forcePullImage: false, parameters: [], ...docker },
    }),
  };
}

export function showTask({ healthy, ...task }: Task, app: App | undefined): unknown {
  return {
    ...task,
    ipAddresses: [],
    servicePorts: app ? portsOf(app).map(({ servicePort }) => servicePort) : [],
    localVolumes: [],
    ...(healthy !== undefined && { healthCheckResults: [{ alive: healthy, taskId: task.id }] }),
  };
}

/** The tree of groups, as `GET /v2/groups` shows it. */
export function showGroups({ apps, pods }: State): unknown {
  const groupOf = (id: string): Record<string, unknown> => {
    const isIn = (one: string) => one.slice(0, Math.max(1, one.lastIndexOf('/'))) === id;
    const all = [...Object.keys(apps), ...pods.map((pod) => pod.id)];
    const prefix = id === '/' ? '/' : `${id}/`;
    const inner = new Set(
      all.flatMap((one) => {
        const [segment, rest] = one.startsWith(prefix) ? one.slice(prefix.length).split(/\/(.*)/) : [];
        return rest === undefined ? [] : [`${prefix}${segment}`];
      }),
    );
    return {
      id,
      dependencies: [],
      version: new Date(0).toISOString(),
      enforceRole: false,
      apps: Object.values(apps)
        .filter((app) => isIn(app.id))
        .map((app) => ({ ...app, tasksStaged: 0, tasksRunning: app.instances, deployments: [] })),
      pods: pods.filter((pod) => isIn(pod.id)),
      groups: [...inner].map(groupOf),
    };
  };
  return groupOf('/');
}
