/** The user of the load balancer, on its host and at the scheduler's API. */

import type { Cluster } from '../../cluster/cluster.ts';

export const LB_USER = 'mesosup-lb';

/** False if the API needs no credentials that mesosup knows, or the spec names others. */
export function usesOwnCredentials({ lbFlags = {}, schedulerFlags }: Cluster): boolean {
  if (schedulerFlags.http_credentials_file === '') return false;
  return lbFlags['credentials-file'] === undefined && lbFlags['token-file'] === undefined;
}
