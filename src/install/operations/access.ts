/** How people reach a cluster that runs. */

import type { Cluster, Role } from '../../cluster/cluster.ts';
import type { Facts } from '../facts.ts';
import { addressOf } from '../topology.ts';

export interface Access {
  /** Of the leading master; undefined when nobody leads. */
  readonly master?: string;
  /** Of the scheduler that leads. */
  readonly scheduler?: string;
  /** Where the passwords are: `operator` for Mesos, `api` for the scheduler. */
  readonly secrets: string;
}

export function accessOf(cluster: Cluster, facts: ReadonlyMap<string, Facts>, secretsFile: string): Access {
  const url = (role: Role, leads: (facts: Facts) => boolean) => {
    const host = cluster.hosts.find((one) => {
      const found = facts.get(one.name);
      return one.roles.includes(role) && found !== undefined && leads(found);
    });
    if (!host) return undefined;
    // That of the spec may be a name that only SSH's configuration knows.
    const address = addressOf(cluster, host, facts);
    if (address === undefined) return undefined;
    return `http://${address.includes(':') ? `[${address}]` : address}:${cluster.ports[role]}`;
  };
  const master = url('master', (found) => found.master.elected);
  const scheduler = url('scheduler', (found) => found.scheduler.leads);
  return {
    ...(master !== undefined && { master }),
    ...(scheduler !== undefined && { scheduler }),
    secrets: secretsFile,
  };
}

/** The secrets themselves are never shown. */
export function renderAccess({ master, scheduler, secrets }: Access): string {
  return [
    ...(scheduler ? [`Scheduler  ${scheduler}  user mesosup, password "api" in ${secrets}`] : []),
    ...(master ? [`Mesos      ${master}  user operator, password "operator" in ${secrets}`] : []),
    ...(scheduler
      ? [`Ask it     jq -r '"user = \\"mesosup:" + .api + "\\""' ${secrets} | curl -K - ${scheduler}/v2/info`]
      : []),
  ].join('\n');
}
