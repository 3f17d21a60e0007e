/**
 * Describes the ports of a task for service discovery: Mesos-DNS and virtual addresses read it from the master. Source:
 * TaskBuilder and PortDiscovery of Marathon 1.11.
 */

import type { DiscoveryInfo, DiscoveryPort } from '../../../mesos/types.ts';
import { type App, hasOwnNetwork } from '../../domain/app.ts';
import { hostLikeId } from '../../domain/app-id.ts';
import type { Task } from '../../domain/task.ts';
import { type TaskPort, taskPorts } from '../../domain/task-ports.ts';

export function discoveryInfo(app: App, task: Pick<Task, 'ports'>): DiscoveryInfo {
  const scopes = scopesOf(app);
  const ports = taskPorts(app, task.ports).flatMap((port) =>
    port.protocol
      .split(',')
      .flatMap((protocol) => scopes(port).map((scope) => portOf(port, protocol, scope))),
  );
  return { visibility: 'FRAMEWORK', name: hostLikeId(app.id), ports: { ports } };
}

/** The labels that say in which network a port is: none in the network of the host, where there is no doubt. */
type Scope = Readonly<Record<string, string>>;

function scopesOf(app: App): (port: TaskPort) => readonly Scope[] {
  if (!hasOwnNetwork(app)) return () => [{}];
  const networks = app.networks.flatMap(({ mode, name }) => (mode === 'container' ? [name ?? ''] : []));
  return ({ hostPort }) =>
    hostPort !== undefined
      ? [{ 'network-scope': 'host' }]
      : networks.map((name) => ({ 'network-scope': 'container', 'network-name': name }));
}

function portOf(
  { hostPort, containerPort, name, labels }: TaskPort,
  protocol: string,
  scope: Scope,
): DiscoveryPort {
  const all = Object.entries({ ...labels, ...scope }).map(([key, value]) => ({ key, value }));
  return {
    number: hostPort ?? containerPort ?? 0,
    ...(name !== undefined && { name }),
    protocol,
    ...(all.length > 0 && { labels: { labels: all } }),
  };
}
