/** Decides what the doctor reads on a host, beyond its facts. */

import { servicesOf } from '../../cluster/certificates.ts';
import type { Cluster, ClusterHost, Role } from '../../cluster/cluster.ts';
import { hostsWith } from '../../cluster/topology.ts';
import type { Facts } from '../facts.ts';
import { hostHealth, serviceOf } from '../health.ts';
import type { ExaminationRequest } from '../script/examine-script.ts';
import { STATE } from '../script/places.ts';
import { addressOf, type FactsByHost, ZOOKEEPER_PEER_PORTS } from '../topology.ts';
import { DOCKER_DATA } from '../wanted/docker.ts';
import { SCHEDULER_STATE } from '../wanted/scheduler.ts';
import { TLS_CA, tlsPaths } from '../wanted/tls.ts';
import { ZOOKEEPER_DATA } from '../wanted/zookeeper.ts';
import { agentWorkDir, masterWorkDir } from '../work-dirs.ts';

/** Directories whose loss, or whose full disk, stops a role. */
export function placesOf(cluster: Cluster, host: ClusterHost): Record<string, string> {
  const has = (role: Role) => host.roles.includes(role);
  return {
    '/': 'the system',
    '/tmp': 'temporary files',
    '/var/log': 'logs',
    [STATE]: "mesosup's records",
    ...(has('zookeeper') && { [ZOOKEEPER_DATA]: "ZooKeeper's data" }),
    ...(has('master') && { [masterWorkDir(cluster, host)]: "the master's registry" }),
    ...(has('agent') && {
      [agentWorkDir(cluster, host)]: 'sandboxes',
      [DOCKER_DATA]: 'images and containers',
    }),
    ...(has('scheduler') && { [SCHEDULER_STATE]: "the scheduler's state" }),
  };
}

/** Which roles connect to which, and to which role's port. */
const CONNECTIONS: readonly { readonly from: Role; readonly to: Exclude<Role, 'lb'> }[] = [
  { from: 'zookeeper', to: 'zookeeper' },
  { from: 'master', to: 'zookeeper' },
  { from: 'agent', to: 'zookeeper' },
  { from: 'scheduler', to: 'zookeeper' },
  { from: 'master', to: 'master' },
  { from: 'agent', to: 'master' },
  { from: 'scheduler', to: 'master' },
  { from: 'master', to: 'agent' },
  { from: 'scheduler', to: 'agent' },
  { from: 'scheduler', to: 'scheduler' },
  { from: 'lb', to: 'scheduler' },
  // For exec.
  { from: 'agent', to: 'scheduler' },
];

/** A server on another host that a host must be able to reach. */
export interface Dial {
  readonly address: string;
  readonly port: number;
  /** The host and the role of the server. */
  readonly host: string;
  readonly role: Role;
  /** A path that an HTTP server answers without credentials; missing for other servers. */
  readonly path?: string;
}

/** Answered without credentials, and without a redirect to the leader. */
const PATHS: Partial<Record<Role, string>> = { master: '/health', agent: '/health', scheduler: '/ping' };

/** Servers on other hosts that the host connects to and that answer on their own host. */
export function dialsOf(cluster: Cluster, host: ClusterHost, facts: FactsByHost): Dial[] {
  const dials = CONNECTIONS.filter(({ from }) => host.roles.includes(from)).flatMap(({ from, to }) =>
    hostsWith(cluster, to)
      .filter(({ name }) => name !== host.name)
      .flatMap((other) => {
        const found = facts.get(other.name);
        const address = addressOf(cluster, other, facts);
        // One that reports a problem may just be starting.
        const health = found?.[to];
        const problem = health !== undefined && 'problem' in health ? health.problem : '';
        if (found === undefined || !health?.answers || problem !== '' || address === undefined) return [];
        const ports = from === 'zookeeper' ? peerPorts(found.zookeeper.mode) : [cluster.ports[to]];
        const path = PATHS[to];
        return ports.map((port) => ({ address, port, host: other.name, role: to, ...(path && { path }) }));
      }),
  );
  return [...new Map(dials.map((dial) => [`${dial.address} ${dial.port}`, dial])).values()];
}

/** All servers listen for elections, only the leader for followers. */
function peerPorts(mode: string): number[] {
  const [followers, elections] = ZOOKEEPER_PEER_PORTS;
  return mode === 'leader' ? [followers, elections] : [elections];
}

/** Files of certificates, and directories of such files, that the host's servers use. */
function certificatesOf(cluster: Cluster, host: ClusterHost, own: Facts): string[] {
  const { roles } = host;
  const { ssl_cert_file: used, ssl_ca_file: others } = cluster.schedulerFlags;
  const directory = cluster.lbFlags?.['certificate-dir'];
  return [
    ...(roles.includes('scheduler') ? [used, others] : []),
    ...(roles.includes('lb') ? [directory] : []),
    // By name, since keys are beside them.
    ...(own.files[TLS_CA] === undefined
      ? []
      : [TLS_CA, ...servicesOf(cluster, host).map((service) => tlsPaths(service).certificate)]),
  ].filter((path) => path !== undefined && path !== '' && !/\n/.test(path)) as string[];
}

/** @returns undefined if the host's address isn't known */
export function examinationRequest(
  cluster: Cluster,
  host: ClusterHost,
  facts: FactsByHost,
): ExaminationRequest | undefined {
  const address = addressOf(cluster, host, facts);
  const own = facts.get(host.name);
  if (address === undefined || own === undefined) return undefined;
  const has = (role: Role) => host.roles.includes(role);
  const { ports } = cluster;
  return {
    address,
    dials: dialsOf(cluster, host, facts),
    places: Object.keys(placesOf(cluster, host)),
    // Hosts use addresses, and the names of agents in Mesos. The address for SSH may be a name that only this machine knows.
    names: cluster.hosts
      .flatMap(({ hostname }) => hostname ?? [])
      .filter((name) => !/^[0-9.]+$|:/.test(name)),
    services: hostHealth(cluster, host, own)
      .roles.map(({ role, healthy }) => ({ healthy, name: serviceOf(cluster, role, own) }))
      .filter(({ healthy, name }) => !healthy || own.services[name]?.state !== 'running')
      .map(({ name }) => name),
    ...(has('zookeeper') && { zookeeper: { data: ZOOKEEPER_DATA, port: ports.zookeeper } }),
    certificates: certificatesOf(cluster, host, own),
    guarded: [
      ...(has('master') ? [{ port: ports.master, path: '/metrics/snapshot' }] : []),
      ...(has('agent') ? [{ port: ports.agent, path: '/metrics/snapshot' }] : []),
      ...(has('scheduler') ? [{ port: ports.scheduler, path: '/v2/apps' }] : []),
    ],
  };
}
