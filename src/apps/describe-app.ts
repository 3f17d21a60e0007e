/** Describes an app for people. */

import type { AppJson } from '../scheduler/api/v2/app-schemas.ts';
import { printable } from '../text/printable.ts';
import type { TableOptions } from '../text/table.ts';
import { programOf, statusOf, tasksTable } from './app-rows.ts';
import { canaryOf } from './canary-labels.ts';
import { amount } from './units.ts';

/**
 * Values of environment variables are left out: they may be secret. `-o json` shows them.
 * @param now milliseconds since the epoch
 * @param canary of this app
 */
export function describeApp(
  app: AppJson,
  now: number,
  options: TableOptions,
  canary?: Pick<AppJson, 'id' | 'labels'>,
): string {
  const of = canaryOf(app);
  const share = canary && canaryOf(canary)?.share;
  const { tasks = [], lastTaskFailure: failure, container } = app;
  const rows: [string, string][] = [
    ['App', app.id],
    ['Status', statusText(app)],
    ...listed('Canary of', of ? [`${of.appId}, with ${of.share}% of its requests`] : []),
    ...listed(
      'Canary',
      canary && share !== undefined ? [`${canary.id}, with ${share}% of the requests`] : [],
    ),
    [container?.docker ? 'Image' : 'Command', programOf(app)],
    ...(container?.docker && (app.cmd || app.args)
      ? ([['Command', app.cmd ?? app.args?.join(' ') ?? '']] as [string, string][])
      : []),
    [
      'Resources',
      `${amount(app.cpus)} ${app.cpus === 1 ? 'CPU' : 'CPUs'}, ${amount(app.mem)} MiB${app.disk ? `, ${amount(app.disk)} MiB disk` : ''}${app.gpus ? `, ${app.gpus} GPUs` : ''} each`,
    ],
    ...listed('Port', portTexts(app)),
    ...listed(
      'Network',
      app.networks.map(({ mode, name }) => (name === undefined ? mode : `${mode} ${name}`)),
    ),
    ...listed('Volume', volumeTexts(app)),
    ...listed('Health check', app.healthChecks.map(checkText)),
    ...listed(
      'Constraint',
      app.constraints.map((one) => one.join(' ')),
    ),
    ...listed('Environment', Object.keys(app.env).length > 0 ? [Object.keys(app.env).sort().join(' ')] : []),
    ...listed(
      'Label',
      Object.entries(app.labels).map(([name, value]) => `${name}=${value}`),
    ),
    ...listed(
      'Deployment',
      (app.deployments ?? []).map(({ id }) => id),
    ),
    ['Version', app.version],
    ...(failure
      ? ([
          ['Last failure', `${failure.timestamp} on ${failure.host}: ${failure.message || failure.state}`],
          ['', `task ${failure.taskId}`],
        ] as [string, string][])
      : []),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}`.trimEnd());
  if (tasks.length > 0) lines.push('', tasksTable(tasks, now, options));
  return lines.join('\n');
}

function statusText(app: AppJson): string {
  const { tasksRunning = 0, tasksStaged = 0, tasksHealthy = 0, tasksUnhealthy = 0, instances, mode } = app;
  const wanted = mode === 'daemon' ? '' : ` of ${instances}`;
  return [
    `${statusOf(app)}: ${tasksRunning}${wanted} running`,
    ...(tasksStaged > 0 ? [`${tasksStaged} starting`] : []),
    ...(app.healthChecks.length > 0 ? [`${tasksHealthy} healthy`] : []),
    ...(tasksUnhealthy > 0 ? [`${tasksUnhealthy} unhealthy`] : []),
  ].join(', ');
}

/** The name only on the first line. */
function listed(name: string, values: readonly string[]): [string, string][] {
  return values.map((value, i) => [i === 0 ? name : '', value]);
}

function portTexts({ container, portDefinitions }: AppJson): string[] {
  const mappings = container?.portMappings?.map(({ containerPort, hostPort, servicePort, protocol, name }) =>
    [
      `container ${containerPort}/${protocol}`,
      hostPort ? `host ${hostPort}` : 'any host port',
      ...(servicePort ? [`service port ${servicePort}`] : []),
      ...(name === undefined ? [] : [name]),
    ].join(', '),
  );
  return (
    mappings ??
    portDefinitions.map(({ port, protocol, name }) =>
      [`service port ${port}/${protocol}`, ...(name === undefined ? [] : [name])].join(', '),
    )
  );
}

function volumeTexts({ container }: AppJson): string[] {
  return (container?.volumes ?? []).map(
    ({ hostPath, containerPath, mode }) => `${hostPath ?? ''}:${containerPath}${mode === 'RO' ? ':ro' : ''}`,
  );
}

function checkText({
  protocol,
  path,
  command,
  port,
  intervalSeconds,
}: AppJson['healthChecks'][number]): string {
  const what = command?.value ?? path ?? '';
  return [protocol, what, port === undefined ? '' : `port ${port}`, `every ${intervalSeconds} s`]
    .filter((part) => part !== '')
    .join(' ');
}
