/** Checks that the hosts and roles make a cluster that can work. */

import type { Cluster, ClusterHost, Role } from './cluster.ts';
import { lbPorts } from './lb-flags.ts';
import type { Complaint } from './spec-errors.ts';

export function checkTopology(cluster: Cluster): Complaint[] {
  return [...checkHosts(cluster), ...checkRoles(cluster), ...checkPorts(cluster)];
}

/** True of a host with a master or an agent. */
export function isMesos({ roles }: Pick<ClusterHost, 'roles'>): boolean {
  return roles.includes('master') || roles.includes('agent');
}

/** The exporter reads masters and agents. */
export function isMonitored(
  { monitoring }: Pick<Cluster, 'monitoring'>,
  host: Pick<ClusterHost, 'roles'>,
): boolean {
  return monitoring !== undefined && isMesos(host);
}

export function hostsWith(cluster: Cluster, role: Role): ClusterHost[] {
  return cluster.hosts.filter((host) => host.roles.includes(role));
}

function checkHosts({ hosts }: Cluster): Complaint[] {
  const complaints: Complaint[] = [];
  const unique = (what: string, key: string, of: (host: ClusterHost) => string | undefined) => {
    const seen = new Map<string, string>();
    for (const [i, host] of hosts.entries()) {
      const value = of(host);
      if (value === undefined) continue;
      const other = seen.get(value);
      if (other === undefined) seen.set(value, host.name);
      else complaints.push({ path: ['hosts', i, key], message: `${what} as host ${other}: ${value}` });
    }
  };
  unique('the same name', 'name', (host) => host.name);
  unique('the same address', 'address', (host) =>
    host.connection.kind === 'local' || host.address === host.name
      ? undefined
      : `${host.address}:${host.connection.port ?? 22}`,
  );
  unique('the same address', 'privateAddress', (host) => host.privateAddress);
  const local = hosts.flatMap((host, i) => (host.connection.kind === 'local' ? [i] : []));
  for (const i of local.slice(1)) {
    complaints.push({ path: ['hosts', i, 'local'], message: 'only one host can have "local: true"' });
  }
  for (const [i, host] of hosts.entries()) complaints.push(...findUnusedSettings(host, i));
  return complaints;
}

/** Reports settings of a role that the host lacks: the role was probably forgotten. */
function findUnusedSettings(host: ClusterHost, index: number): Complaint[] {
  const needs: [keyof ClusterHost & string, Role][] = [
    ['attributes', 'agent'],
    ['resources', 'agent'],
    ['agentFlags', 'agent'],
    ['masterFlags', 'master'],
  ];
  return needs
    .filter(([key, role]) => Object.keys(host[key] ?? {}).length > 0 && !host.roles.includes(role))
    .map(([key, role]) => ({
      path: ['hosts', index, key],
      key: true,
      message: `this key needs the role "${role}", which host ${host.name} lacks`,
    }));
}

function checkRoles(cluster: Cluster): Complaint[] {
  const count = (role: Role) => hostsWith(cluster, role).length;
  const [masters, zookeepers, schedulers] = [count('master'), count('zookeeper'), count('scheduler')];
  const complaint = (message: string): Complaint => ({ path: ['hosts'], key: true, message });
  const complaints: Complaint[] = [];
  if (masters === 0)
    complaints.push(complaint('no host has the role "master": one, three or five are needed'));
  if (count('agent') === 0) complaints.push(complaint('no host has the role "agent": tasks need an agent'));
  const external = cluster.zookeeper !== undefined;
  if (external && zookeepers > 0) {
    const message = 'with this key, no host can have the role "zookeeper": remove the key or the role';
    complaints.push({ path: ['zookeeper'], key: true, message });
  }
  if (zookeepers === 0 && !external && masters > 1) {
    complaints.push(
      complaint('several masters need ZooKeeper: give one, three or five hosts the role "zookeeper"'),
    );
  }
  if (zookeepers === 0 && !external && schedulers > 1) {
    complaints.push(
      complaint('several schedulers need ZooKeeper: give one, three or five hosts the role "zookeeper"'),
    );
  }
  if (count('lb') > 0 && schedulers === 0) {
    complaints.push(complaint('the role "lb" needs a scheduler: give a host the role "scheduler"'));
  }
  if (cluster.lbFlags && count('lb') === 0) {
    complaints.push({
      path: ['lbFlags'],
      key: true,
      message: 'no host has the role "lb": give it to a host, or remove this key',
    });
  }
  if (schedulers > 1 && cluster.schedulerFlags.zk === '') {
    complaints.push({
      path: ['schedulerFlags', 'zk'],
      key: true,
      message: 'several schedulers need ZooKeeper: remove this key',
    });
  }
  return complaints;
}

function checkPorts({ hosts, lbFlags, monitoring, ports }: Cluster): Complaint[] {
  const seen = new Map<number, string>();
  const complaints: Complaint[] = [];
  for (const [name, port] of Object.entries(ports) as [string, number][]) {
    const other = seen.get(port);
    if (other === undefined) seen.set(port, name);
    else complaints.push({ path: ['ports', name], message: `${port} is also the port of ${other}` });
  }
  if (monitoring) {
    const other = seen.get(monitoring.port);
    if (other === undefined) seen.set(monitoring.port, 'monitoring');
    else
      complaints.push({
        path: ['monitoring', 'port'],
        message: `${monitoring.port} is also the port of ${other}`,
      });
  }
  const shared = hosts.filter(({ roles }) => roles.includes('lb') && roles.length > 1);
  if (shared.length === 0) return complaints;
  for (const [flag, port] of Object.entries(lbPorts(lbFlags))) {
    const other = seen.get(port);
    if (other === undefined) continue;
    const set = other === 'monitoring' ? ['monitoring', 'port'] : ['ports', other];
    const path = lbFlags?.[flag] === undefined ? set : ['lbFlags', flag];
    complaints.push({ path, message: `${port} is the port of ${other} and of the load balancer (${flag})` });
  }
  return complaints;
}
