/** Why a cluster can't have TLS. Pure. */

import { servicesOf } from '../cluster/certificates.ts';
import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import { isMesos } from '../cluster/topology.ts';
import type { Facts } from './facts.ts';
import { CLUSTERD_PACKAGE, mesosLayout, mesosPackage } from './layout.ts';
import type { FactsByHost } from './topology.ts';

/** Flags of the scheduler that decide about TLS themselves. */
const SCHEDULER_FLAGS = ['https_port', 'ssl_cert_file', 'ssl_key_file', 'ssl_ca_file', 'mesos_ssl'];

export interface Obstacle {
  /** As text for people. */
  readonly message: string;
  readonly remedy: string;
}

/** What the cluster's description alone says. Undefined: nothing prevents TLS. */
export function describedObstacle({ tls, schedulerFlags, name }: Cluster): Obstacle | undefined {
  if (tls === false)
    return {
      message: `the cluster file of ${name} says that it gets no TLS`,
      remedy: 'Remove "tls: false" from the cluster file.',
    };
  const own = SCHEDULER_FLAGS.find((flag) => flag in schedulerFlags);
  if (own === undefined) return undefined;
  return {
    message: `schedulerFlags of the cluster file sets ${own}, which TLS within the cluster decides`,
    remedy: 'Remove these flags from schedulerFlags: people then use the certificates of the cluster.',
  };
}

/** What hosts and the cluster's description say. Undefined: nothing prevents TLS. */
export function tlsObstacle(cluster: Cluster, facts: FactsByHost): Obstacle | undefined {
  const described = describedObstacle(cluster);
  if (described) return described;
  for (const host of cluster.hosts) {
    const own = facts.get(host.name);
    if (servicesOf(cluster, host).length === 0) continue;
    if (own?.init === 'upstart')
      return {
        message: `${host.name} has Upstart, with which mesosup sets up no TLS`,
        remedy: 'Install a newer system on the host.',
      };
    if (!isMesos(host)) continue;
    const built = mesosHasTls(cluster, own);
    if (built === false)
      return {
        message: `the Mesos of ${host.name} was built without TLS`,
        remedy: 'Install a Mesos with TLS, for example that of ClusterD.',
      };
    if (built === undefined && cluster.tls !== true)
      return {
        message: `it is not known whether the Mesos of ${host.name} was built with TLS`,
        remedy: 'If it was, say so in the cluster file: tls: true',
      };
  }
  return undefined;
}

/** Undefined if it is not known. @param own undefined for an unreachable host */
function mesosHasTls(cluster: Cluster, own: Facts | undefined): boolean | undefined {
  if (own?.mesosTls !== undefined) return own.mesosTls;
  const isClusterd = own
    ? mesosLayout(cluster, own).kind === 'clusterd'
    : mesosPackage(cluster.mesos) === CLUSTERD_PACKAGE;
  return isClusterd || undefined;
}

/** Whether the probe has to find out if the Mesos of a host was built with TLS. */
export function asksForTls(cluster: Cluster, host: ClusterHost): boolean {
  return isMesos(host) && cluster.tls !== false && mesosPackage(cluster.mesos) !== CLUSTERD_PACKAGE;
}

/** How a new cluster begins. */
export interface Beginning {
  readonly tls: boolean;
  /** Why not, unless the cluster file refuses TLS. */
  readonly obstacle?: Obstacle;
}

export function beginningOf(cluster: Cluster, facts: FactsByHost): Beginning {
  if (cluster.tls === false) return { tls: false };
  const obstacle = tlsObstacle(cluster, facts) ?? (cluster.tls === true ? undefined : runningMesos(facts));
  return obstacle ? { tls: false, obstacle } : { tls: true };
}

/** Its executors would lose their agents. */
function runningMesos(facts: FactsByHost): Obstacle | undefined {
  const host = [...facts].find(([, { master, agent }]) => master.answers || agent.answers)?.[0];
  if (host === undefined) return undefined;
  return { message: `a Mesos runs on ${host} already`, remedy: 'Later: mesosup certs enable' };
}

/** Why executors that run now would lose their agents, which would end their tasks. Undefined: they would not. */
export function executorObstacle({ schedulerFlags }: Cluster, facts: FactsByHost): Obstacle | undefined {
  const user = schedulerFlags.mesos_user;
  if (user !== undefined && user !== 'root')
    return {
      message: `executors run as the user ${user}, who can't read their key`,
      remedy: 'Remove mesos_user from schedulerFlags.',
    };
  for (const [host, { master, mesosup }] of facts) {
    if (master.elected && master.frameworksActive > 1)
      return {
        message: "executors of other frameworks can't begin to use TLS, and their tasks would end",
        remedy: 'End the other frameworks first.',
      };
    const old = (mesosup.inUse ?? []).find((version) => version !== mesosup.current);
    if (old !== undefined)
      return {
        message: `programs of mesosup ${old} still run on ${host}, whose executors may be unable to use TLS`,
        remedy: 'Restart the apps with tasks on this host first.',
      };
  }
  return undefined;
}
