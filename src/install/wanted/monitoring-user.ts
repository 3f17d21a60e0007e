/** The user of the exporter: on its host, as a principal of Mesos, and for Prometheus at the scheduler's API. */

import { secretMark } from '../../cluster/secrets.ts';
import type { Context } from './context.ts';

export const MONITORING_USER = 'mesosup-monitoring';

/** The exporter's credentials at a master or agent; none in a cluster without monitoring. */
export function monitoringCredentials({
  cluster,
}: Pick<Context, 'cluster'>): { readonly principal: string; readonly secret: string }[] {
  return cluster.monitoring ? [{ principal: MONITORING_USER, secret: secretMark('monitoring') }] : [];
}
