/** Tables of apps, tasks and endpoints. */

import type { AppJson, TaskJson } from '../scheduler/api/v2/app-schemas.ts';
import { type Column, renderTable, type TableOptions } from '../text/table.ts';
import { canaryOf } from './canary-labels.ts';
import { age, amount } from './units.ts';

export type ListedApp = Pick<AppJson, 'id' | 'instances' | 'cpus' | 'mem' | 'healthChecks' | 'version'> &
  Partial<AppJson>;

/** The state of an app in a word. */
export function statusOf(app: ListedApp): string {
  const { instances, tasksRunning = 0, tasksUnhealthy = 0, deployments = [], mode } = app;
  if (deployments.length > 0) return 'deploying';
  if (tasksUnhealthy > 0) return 'unhealthy';
  if (mode === 'daemon') return tasksRunning > 0 ? 'running' : 'waiting';
  if (instances === 0) return 'suspended';
  return tasksRunning >= instances ? 'running' : mode === 'job' ? 'job' : 'waiting';
}

/** `running, canary 10%` */
function listedStatus(app: ListedApp): string {
  const canary = canaryOf(app);
  return canary ? `${statusOf(app)}, canary ${canary.share}%` : statusOf(app);
}

/** `2/3`; for a daemon, whose number follows from the agents, only the running ones. */
function runningOf({ instances, tasksRunning = 0, mode }: ListedApp): string {
  return mode === 'daemon' ? String(tasksRunning) : `${tasksRunning}/${instances}`;
}

function healthOf({ healthChecks, tasksHealthy = 0, tasksRunning = 0 }: ListedApp): string {
  return healthChecks.length === 0 ? '-' : `${tasksHealthy}/${tasksRunning}`;
}

/** The image, or else the command. */
export function programOf({ container, cmd, args }: Pick<ListedApp, 'container' | 'cmd' | 'args'>): string {
  return container?.docker?.image ?? (cmd || args?.join(' ')) ?? '';
}

const APPS: readonly Column<ListedApp>[] = [
  { title: 'APP', cell: ({ id }) => id, shrinkTo: 16 },
  { title: 'STATUS', cell: listedStatus },
  { title: 'RUNNING', cell: runningOf, right: true },
  { title: 'HEALTHY', cell: healthOf, right: true, drop: 2 },
  { title: 'CPUS', cell: ({ cpus }) => amount(cpus), right: true, drop: 3 },
  { title: 'MEM', cell: ({ mem }) => `${amount(mem)} MiB`, right: true, drop: 4 },
  { title: 'IMAGE OR COMMAND', cell: programOf, shrinkTo: 20, drop: 1 },
  { title: 'VERSION', cell: ({ version }) => version, wide: true },
];

export function appsTable(apps: readonly ListedApp[], options: TableOptions): string {
  return renderTable(APPS, apps, options);
}

/** `running`, `staging` …, without Mesos' prefix. */
export function stateOf({ state }: Pick<TaskJson, 'state'>): string {
  return state.replace('TASK_', '').toLowerCase();
}

function taskHealth({ healthCheckResults = [] }: TaskJson): string {
  if (healthCheckResults.length === 0) return '-';
  return healthCheckResults.every(({ alive }) => alive) ? 'healthy' : 'unhealthy';
}

/** @param now milliseconds since the epoch */
export function tasksTable(tasks: readonly TaskJson[], now: number, options: TableOptions): string {
  const columns: readonly Column<TaskJson>[] = [
    { title: 'TASK', cell: ({ id }) => id, shrinkTo: 18 },
    { title: 'STATE', cell: stateOf },
    { title: 'HEALTH', cell: taskHealth, drop: 2 },
    { title: 'HOST', cell: ({ host }) => host, shrinkTo: 12 },
    { title: 'PORTS', cell: ({ ports }) => ports.join(' '), drop: 3 },
    {
      title: 'AGE',
      cell: ({ startedAt, stagedAt }) => age(startedAt ?? stagedAt, now),
      right: true,
      drop: 4,
    },
    { title: 'ADDRESSES', cell: ({ ipAddresses }) => addresses(ipAddresses), wide: true },
    { title: 'VERSION', cell: ({ version }) => version, wide: true },
    { title: 'AGENT', cell: ({ slaveId }) => slaveId, wide: true },
  ];
  return renderTable(columns, tasks, options);
}

function addresses(all: TaskJson['ipAddresses']): string {
  return all.map(({ ipAddress }) => ipAddress).join(' ');
}

/** A port of a running task that clients can connect to. */
export interface TaskEndpoint {
  readonly app: string;
  /** The port by which a load balancer offers the app; undefined if it has none. */
  readonly servicePort?: number | undefined;
  readonly host: string;
  readonly port: number;
  readonly task: string;
}

/** The endpoints of tasks that run and are healthy, as far as they have health checks. */
export function endpointsOf(tasks: readonly TaskJson[]): TaskEndpoint[] {
  return tasks
    .filter((task) => task.state === 'TASK_RUNNING' && taskHealth(task) !== 'unhealthy')
    .flatMap(({ id, appId, host, ports, servicePorts }) =>
      ports.map((port, i) => ({ app: appId, servicePort: servicePorts[i], host, port, task: id })),
    );
}

const ENDPOINTS: readonly Column<TaskEndpoint>[] = [
  { title: 'APP', cell: ({ app }) => app, shrinkTo: 16 },
  { title: 'SERVICE PORT', cell: ({ servicePort }) => String(servicePort ?? '-'), right: true, drop: 1 },
  { title: 'ADDRESS', cell: addressOf, shrinkTo: 20 },
  { title: 'TASK', cell: ({ task }) => task, drop: 2, shrinkTo: 18 },
];

export function addressOf({ host, port }: TaskEndpoint): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export function endpointsTable(endpoints: readonly TaskEndpoint[], options: TableOptions): string {
  return renderTable(ENDPOINTS, endpoints, options);
}
