/** Addresses and credentials with which people use a running cluster. */

import type { Cluster } from '../../cluster/cluster.ts';
import { quote } from '../../hosts/quote.ts';
import type { Facts } from '../facts.ts';
import { addressOf } from '../topology.ts';

export interface Access {
  /** URL of the leading master; missing when no master leads. */
  readonly master?: string;
  /** URL of the leading scheduler; missing when no scheduler leads. */
  readonly scheduler?: string;
  /** File of the passwords: `operator` for Mesos, `api` for the scheduler. */
  readonly secrets: string;
  /** The principal of people at masters and agents. */
  readonly operator: string;
  /** File with the certificates that verify those of the cluster; missing without TLS. */
  readonly authority?: string;
}

export function accessOf(
  cluster: Cluster,
  facts: ReadonlyMap<string, Facts>,
  {
    secretsFile,
    authorityFile,
  }: { readonly secretsFile: string; readonly authorityFile?: string | undefined },
  operator: string,
): Access {
  const scheme = authorityFile === undefined ? 'http' : 'https';
  const url = (role: 'master' | 'scheduler', leads: (facts: Facts) => boolean) => {
    const host = cluster.hosts.find((one) => {
      const found = facts.get(one.name);
      return one.roles.includes(role) && found !== undefined && leads(found);
    });
    if (!host) return undefined;
    // The address in the spec may be a name that only SSH's configuration knows.
    const address = addressOf(cluster, host, facts);
    if (address === undefined) return undefined;
    return `${scheme}://${address.includes(':') ? `[${address}]` : address}:${cluster.ports[role]}`;
  };
  const master = url('master', (found) => found.master.elected);
  const scheduler = url('scheduler', (found) => found.scheduler.leads);
  return {
    ...(master !== undefined && { master }),
    ...(scheduler !== undefined && { scheduler }),
    secrets: secretsFile,
    operator,
    ...(authorityFile !== undefined && { authority: authorityFile }),
  };
}

/** Names the file of the secrets, never the secrets themselves. */
export function renderAccess({ master, scheduler, secrets, operator, authority }: Access): string {
  const trust = authority === undefined ? '' : ` --cacert ${quote(authority)}`;
  return [
    ...(scheduler ? [`Scheduler  ${scheduler}  user mesosup, password "api" in ${secrets}`] : []),
    ...(master ? [`Mesos      ${master}  user ${operator}, password "operator" in ${secrets}`] : []),
    ...(scheduler
      ? [
          `Query      jq -r '"user = \\"mesosup:" + .api + "\\""' ${secrets} | curl -K -${trust} ${scheduler}/v2/info`,
        ]
      : []),
    ...(authority === undefined ? [] : [`Trust      ${authority}, for browsers: mesosup certs trust`]),
  ].join('\n');
}
