/**
 * Finds out where the ports of a task are reached. Source: NetworkInfo and PortAssignment of Marathon 1.11: a port that is
 * published on the host is reached there, any other at the container's own address.
 */

import { type App, type DeclaredPort, declaredPorts, hasOwnNetwork, isBridged } from './app.ts';
import type { Task } from './task.ts';

/** A port of a task. */
export interface TaskPort extends Omit<DeclaredPort, 'hostPort' | 'containerPort'> {
  /** Undefined if the port is not published on the host. */
  readonly hostPort: number | undefined;
  /** The port in the network of the container; undefined if the task is in the network of its host. */
  readonly containerPort: number | undefined;
}

export interface Address {
  /** Name or address of a host, or the address of a container. */
  readonly host: string;
  readonly port: number;
}

/**
 * A container with an address of its own can use any port. If neither `containerPort` nor `hostPort` names one, it is the
 * service port, or the next one that no other mapping uses.
 * @param hostPorts the host ports of the task, in order
 * @returns one entry for each port of the app, in order
 */
export function taskPorts(app: App, hostPorts: readonly number[]): TaskPort[] {
  const left = [...hostPorts];
  const assigned = declaredPorts(app).map((port) => ({
    ...port,
    hostPort: port.hostPort === undefined ? undefined : (left.shift() ?? 0),
  }));
  if (!hasOwnNetwork(app)) return assigned.map((port) => ({ ...port, containerPort: undefined }));
  const taken = new Set(assigned.map(({ containerPort, hostPort }) => containerPort || hostPort));
  return assigned.map((port) => {
    let containerPort = port.containerPort || port.hostPort;
    if (containerPort === undefined) {
      containerPort = port.servicePort;
      while (containerPort < MAX_PORT && taken.has(containerPort)) containerPort += 1;
      taken.add(containerPort);
    }
    return { ...port, containerPort };
  });
}

const MAX_PORT = 65_535;

/** @returns the address of the container itself; undefined until Mesos has reported it, or if there is none */
export function containerAddress({ addresses = [] }: Pick<Task, 'addresses'>): string | undefined {
  return addresses[0]?.ipAddress;
}

/** @returns where the port is reached; undefined while the address of the container is unknown */
export function addressOf(
  { hostPort, containerPort = 0 }: TaskPort,
  task: Pick<Task, 'addresses' | 'host'>,
): Address | undefined {
  if (hostPort !== undefined) return { host: task.host, port: hostPort };
  const host = containerAddress(task);
  return host === undefined ? undefined : { host, port: containerPort };
}

/** True if the container has an address at which others reach it: not the host's, and not one behind a bridge. */
export function hasOwnAddress(app: App): boolean {
  return hasOwnNetwork(app) && !isBridged(app);
}

/** Formats an address, with brackets around an IPv6 address. */
export function addressText({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
