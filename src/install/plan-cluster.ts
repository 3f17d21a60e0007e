/** The plan for a whole cluster. */

import type { Cluster } from '../cluster/cluster.ts';
import type { Secrets } from '../cluster/secrets.ts';
import type { Plan } from './plan.ts';
import { planHost } from './plan-host.ts';
import type { Templates } from './templates.ts';
import { chooseAddress, type FactsByHost } from './topology.ts';
import type { Payload } from './wanted/context.ts';
import { wantedResources } from './wanted/wanted.ts';

export interface PlanInput {
  readonly cluster: Cluster;
  /** Of the hosts that could be asked: the others, and those without an address, are left out of the plan. */
  readonly facts: FactsByHost;
  readonly templates: Templates;
  readonly payload: Payload;
  readonly command: 'install' | 'start' | 'stop';
  /** Of `install`: start the cluster too. Without it each host's services stay started or not as they are. */
  readonly start?: boolean;
  readonly secrets: Secrets;
  /** In hex, of the text as UTF-8. */
  readonly sha256: (text: string) => string;
}

/**
 * Shows and changes nothing. `preflight` says whether it may be applied.
 * @throws UnknownAddressError as `topologyOf`, which `preflight` reports too
 */
export function planCluster(input: PlanInput): Plan {
  const { cluster, facts, command, payload, secrets, sha256 } = input;
  const hosts = cluster.hosts.flatMap((host) => {
    const own = facts.get(host.name);
    const address = chooseAddress(cluster, host, facts);
    if (own === undefined || address === undefined) return [];
    const running = wantsRunning(input, own.mesosup.started);
    const wanted = wantedResources({ ...input, host, running });
    return [{ ...planHost({ cluster, host, facts: own, wanted, command, secrets, sha256 }), address }];
  });
  return { format: 1, command, cluster: cluster.name, version: payload.version, hosts };
}

function wantsRunning({ command, start }: PlanInput, started: boolean): boolean | null {
  if (command === 'stop') return false;
  return command === 'start' || start === true || started ? true : null;
}
