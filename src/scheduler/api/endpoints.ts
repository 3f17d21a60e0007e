/**
 * Formats where apps are reached, for load balancers. Only tasks that can serve requests are listed: a task disappears
 * before it is killed, so that load balancers can react.
 */

import { servicePortsOf } from '../domain/app.ts';
import { flatId } from '../domain/app-id.ts';
import { type AppRecord, launchedApp } from '../domain/state.ts';
import { isListed, type Task } from '../domain/task.ts';
import { addressOf, addressText, containerAddress, taskPorts } from '../domain/task-ports.ts';
import type { Body } from './body.ts';
import type { EndpointsJson } from './v1/answer-schemas.ts';
import { partOf } from './v2/parts.ts';
import { sorted } from './views.ts';

interface Endpoint {
  readonly task: Task;
  /** `HOST:PORT` for each service port; undefined if the task is not reached there. */
  readonly addresses: readonly (string | undefined)[];
}

/**
 * A task is reached at the ports of the definition with which it was launched: an app that is being changed has tasks
 * of several.
 * @param hides true to leave out ports that are reached at the address of the container
 */
function reachable(record: AppRecord, hides = false): Endpoint[] {
  return running(record).map((task) => ({
    task,
    addresses: taskPorts(launchedApp(record, task), task.ports).map((port) => {
      const address = hides && port.hostPort === undefined ? undefined : addressOf(port, task);
      return address && addressText(address);
    }),
  }));
}

function running(record: AppRecord): Task[] {
  return sorted([...record.tasks.values()].filter(isListed));
}

/**
 * Formats `ID SP PORT SP (HOST:PORT SP)* LF` for each app and service port.
 * @param portSuffix names every line `<id>_<port>`, not only those of apps with several ports
 */
export function endpointsText(records: readonly AppRecord[], portSuffix: boolean): Body {
  const kind = `endpoints ${portSuffix}`;
  return records.map((record) => partOf(record, kind, () => endpointsOf(record, portSuffix)));
}

function endpointsOf(record: AppRecord, portSuffix: boolean): string {
  const ports = servicePortsOf(record.app);
  const endpoints = reachable(record);
  const name = flatId(record.app.id).replaceAll(/\s+/g, '_');
  return ports
    .map((port, i) => {
      const named = portSuffix || ports.length > 1 ? `${name}_${port}` : name;
      return `${named} ${port} ${listAt(endpoints, i)
        .map((address) => `${address} `)
        .join('')}\n`;
    })
    .join('');
}

/** @returns the addresses of one service port */
function listAt(endpoints: readonly Endpoint[], i: number): string[] {
  return endpoints.flatMap(({ addresses }) => addresses[i] ?? []);
}

/**
 * Format of haproxy-marathon-bridge: `app TAB service port TAB host:port TAB … LF`. Source: Marathon's EndpointsHelper.
 * @param networks names of networks: ports that are reached at the address of a container are listed only for apps in
 * these networks; `*` for all networks; undefined for all
 */
export function haproxyText(records: readonly AppRecord[], networks?: ReadonlySet<string>): Body {
  const isListed = ({ app }: AppRecord) =>
    !networks ||
    networks.has('*') ||
    app.networks.some(({ name }) => name !== undefined && networks.has(name));
  return records.map((record) => {
    const hides = !isListed(record);
    return partOf(record, `haproxy ${hides}`, () => haproxyOf(record, hides));
  });
}

function haproxyOf(record: AppRecord, hides: boolean): string {
  const name = flatId(record.app.id);
  const ports = servicePortsOf(record.app);
  const endpoints = reachable(record, hides);
  if (ports.length === 0) return `${name}\t \t${endpoints.map(({ task }) => `${task.host}\t`).join('')}\n`;
  return ports
    .map((port, i) => {
      const servers = listAt(endpoints, i).map((address) => `\t${address}`);
      return `${name}\t${port}${servers.join('')}\t\n`;
    })
    .join('');
}

export function endpointsJson(record: AppRecord): EndpointsJson {
  const { app } = record;
  return {
    id: flatId(app.id),
    ports: servicePortsOf(app),
    instances: running(record).flatMap((task) => instanceOf(record, task)),
  };
}

/**
 * An instance has one host for all of its ports: if any of them is reached at the container only, then all of them are
 * listed there.
 */
function instanceOf(record: AppRecord, task: Task): EndpointsJson['instances'] {
  const ports = taskPorts(launchedApp(record, task), task.ports);
  const published = ports.flatMap(({ hostPort }) => hostPort ?? []);
  if (published.length === ports.length) return [{ id: task.id, host: task.host, ports: published }];
  const host = containerAddress(task);
  if (host === undefined) return [];
  return [{ id: task.id, host, ports: ports.map(({ containerPort = 0 }) => containerPort) }];
}
