/** Applies a plan in waves. A wave starts only when the members restarted by earlier waves are healthy again. */

import type { Cluster } from '../../cluster/cluster.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { Facts } from '../facts.ts';
import { clusterHealth } from '../health.ts';
import { type Wave, waves } from '../waves.ts';
import { type ApplyToHostsOptions, applyToHosts } from './apply-wave.ts';
import type { HostTrouble } from './outcome.ts';
import type { Session } from './session.ts';
import { UNHEALTHY, waitHealthy } from './wait-healthy.ts';

/** @returns a trouble for each host that failed, or that was not changed because an earlier wave failed */
export async function applyWaves(session: Session, options: ApplyToHostsOptions): Promise<HostTrouble[]> {
  const { plan, facts, member } = options;
  const all = waves(session.cluster, plan, facts, undefined, member);
  for (const [index, wave] of all.entries()) {
    const rest = all.slice(index + 1).flatMap(({ hosts }) => hosts);
    const hosts = plan.hosts.filter(({ host }) => wave.hosts.includes(host));
    const troubles = await applyToHosts(session, { ...options, plan: { ...plan, hosts } });
    if (rest.length === 0) return troubles;
    const why = troubles.length > 0 ? 'failed' : await missingAfter(session, options, wave);
    if (why !== undefined) {
      const message = `this host was not changed: ${wave.hosts.join(', ')} ${why}, and these hosts must not be down at the same time`;
      const remedy = 'Fix that first, then run the same command again.';
      return [...troubles, ...rest.map((host) => ({ host, failure: 'turn', message, remedy }))];
    }
  }
  return [];
}

/** Waits until the next wave may start. @returns the reason why it may not, or undefined */
async function missingAfter(
  session: Session,
  { secrets, facts, patience, signal }: ApplyToHostsOptions,
  { back }: Wave,
): Promise<string | undefined> {
  if (back.length === 0) return undefined;
  const hosts = session.cluster.hosts.filter(({ name }) => facts.has(name)).map(({ name }) => name);
  try {
    const missing = (found: ReadonlyMap<string, Facts>) => unhealthyMembers(session.cluster, found, back);
    await waitHealthy(session, { secrets, hosts, patience, signal, missing });
    return undefined;
  } catch (error) {
    if (error instanceof MesosupError && error.failure === UNHEALTHY)
      return `did not become healthy again (${error.message})`;
    throw error;
  }
}

/** Lists the restarted members that are not healthy again, and a missing leader of the masters. */
function unhealthyMembers(cluster: Cluster, facts: ReadonlyMap<string, Facts>, back: Wave['back']): string[] {
  const { hosts } = clusterHealth(cluster, facts);
  const own = back.flatMap(({ host, role }) =>
    (hosts.find((one) => one.host === host)?.roles ?? [])
      .filter((found) => found.role === role && !found.healthy)
      .map(({ state }) => `${host}: ${role} ${state}`),
  );
  const led = [...facts.values()].some(({ master }) => master.elected && master.recovered);
  return led ? own : [...own, 'no Mesos master leads'];
}
