/** Joins the targets of a probe: those of all resources that may be wanted, and those of the checks. */

import { type Cluster, type ClusterHost, ROLES } from '../cluster/cluster.ts';
import { lbOptions } from '../cluster/lb-flags.ts';
import { isMonitored } from '../cluster/topology.ts';
import { LAYOUT_TARGETS } from './layout.ts';
import { CAPACITY_TARGETS } from './preflight/capacity.ts';
import { portTargets } from './preflight/network.ts';
import { SOFTWARE_TARGETS } from './preflight/software.ts';
import { joinTargets, type ProbeTargets, type Targets } from './probe-targets.ts';
import { quorumTargets } from './quorum.ts';
import { resourceTargets } from './resources/registry.ts';
import { asksForTls } from './tls-obstacles.ts';
import { isIpv4 } from './topology.ts';
import { UPGRADE_TARGETS } from './upgrade/targets.ts';
import { BASE_TARGETS } from './wanted/base.ts';
import { EXECUTOR_TARGETS } from './wanted/executor.ts';
import { DROP_IN_TARGETS } from './wanted/mesos-service.ts';
import { MONITORING_SERVICE } from './wanted/monitoring.ts';
import { possibleResources } from './wanted/possible.ts';
import { agentWorkDir } from './work-dirs.ts';

/** Includes resources of roles that the host lacks; reads the health of its own roles only. */
export function probeTargets(cluster: Cluster, host: ClusterHost): ProbeTargets {
  return probeTargetsIn(cluster)(host);
}

/**
 * Returns `probeTargets` for the hosts of a cluster. The targets that follow from what a host may ever have take
 * milliseconds, and are found once for hosts that differ only in their names, addresses and roles.
 */
export function probeTargetsIn(cluster: Cluster): (host: ClusterHost) => ProbeTargets {
  const known = new Map<string, Targets>();
  const possible = (host: ClusterHost): Targets => {
    const like = { ...host, name: 'any', address: '192.0.2.1', privateAddress: '192.0.2.1', roles: ROLES };
    const key = JSON.stringify(like);
    const found = known.get(key) ?? possibleTargets(cluster, like);
    known.set(key, found);
    return found;
  };
  return (host) => {
    const targets = joinTargets([possible(host), portTargets(cluster, host), quorumTargets(cluster, host)]);
    return {
      ...targets,
      ...(asksForTls(cluster, host) && { mesosTls: true as const }),
      health: healthTargets(cluster, host),
    };
  };
}

function possibleTargets(cluster: Cluster, host: ClusterHost): Targets {
  return joinTargets([
    ...possibleResources(cluster, host).map(resourceTargets),
    BASE_TARGETS,
    EXECUTOR_TARGETS,
    DROP_IN_TARGETS,
    LAYOUT_TARGETS,
    SOFTWARE_TARGETS,
    CAPACITY_TARGETS,
    UPGRADE_TARGETS,
  ]);
}

/** Returns where the host itself reaches the metrics of its load balancer. */
function lbMetrics({ lbFlags }: Cluster) {
  const { host, port } = lbOptions(lbFlags).metrics;
  const own = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host];
  return { host: own ?? host, port };
}

/** Returns the services whose state is all that is known about the health of their program. */
export function healthServices(cluster: Cluster, host: ClusterHost): string[] {
  return isMonitored(cluster, host) ? [MONITORING_SERVICE] : [];
}

/** Returns the targets for reading only the health. */
export function healthTargets(cluster: Cluster, host: ClusterHost): ProbeTargets['health'] {
  const { ports } = cluster;
  const has = (role: ClusterHost['roles'][number]) => host.roles.includes(role);
  const address = host.privateAddress ?? (isIpv4(host.address) ? host.address : undefined);
  return {
    ...(address !== undefined && { address }),
    ...(has('zookeeper') && { zookeeper: ports.zookeeper }),
    ...(has('master') && { master: ports.master }),
    // Independent of the roles: when the role agent was removed, tasks of the agent still have to be counted.
    agent: ports.agent,
    agentWorkDir: agentWorkDir(cluster, host),
    ...(has('scheduler') && { scheduler: ports.scheduler }),
    ...(has('lb') && { lb: lbMetrics(cluster) }),
  };
}
