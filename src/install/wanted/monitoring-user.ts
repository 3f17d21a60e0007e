/** The user of the exporter: on its host, as a principal of Mesos, and for Prometheus at the scheduler's API. */

import { acceptedCredentials, acceptedPrincipals, type MarkedCredential } from '../../cluster/rotation.ts';
import type { Context } from './context.ts';

export const MONITORING_USER = 'mesosup-monitoring';

/** The exporter's credentials at a master or agent; none in a cluster without monitoring. */
export function monitoringCredentials({
  cluster,
  secrets,
}: Pick<Context, 'cluster' | 'secrets'>): MarkedCredential[] {
  return cluster.monitoring ? acceptedCredentials(MONITORING_USER, 'monitoring', secrets) : [];
}

/** The principals of `monitoringCredentials`. */
export function monitors({ cluster, secrets }: Pick<Context, 'cluster' | 'secrets'>): string[] {
  return cluster.monitoring ? acceptedPrincipals(MONITORING_USER, 'monitoring', secrets) : [];
}
