/** The roles that need mesosup's own runtime. */

import type { ClusterHost, Role } from '../cluster/cluster.ts';

/** The scheduler, the executor and the load balancer run on the payload's runtime. */
const WITH_RUNTIME: readonly Role[] = ['scheduler', 'agent', 'lb'];

/** Lists the roles of the host that run on the payload's runtime. */
export function rolesWithRuntime({ roles }: Pick<ClusterHost, 'roles'>): Role[] {
  return roles.filter((role) => WITH_RUNTIME.includes(role));
}

export function usesRuntime(host: Pick<ClusterHost, 'roles'>): boolean {
  return rolesWithRuntime(host).length > 0;
}
