/** The parts of a host that need mesosup's own runtime. */

import type { Cluster, ClusterHost, Role } from '../cluster/cluster.ts';
import { isMonitored } from '../cluster/topology.ts';

/** The scheduler, the executor and the load balancer run on the payload's runtime. */
const WITH_RUNTIME: readonly Role[] = ['scheduler', 'agent', 'lb'];

/** Lists what runs on the payload's runtime on the host, for messages: its roles, and the exporter. */
export function partsWithRuntime(cluster: Cluster, host: ClusterHost): string[] {
  const roles = host.roles.filter((role) => WITH_RUNTIME.includes(role));
  return [
    ...(roles.length > 0 ? [`the role ${roles.join(' and ')}`] : []),
    ...(isMonitored(cluster, host) ? ['monitoring'] : []),
  ];
}

export function usesRuntime(cluster: Cluster, host: ClusterHost): boolean {
  return partsWithRuntime(cluster, host).length > 0;
}
