/** Does a plan in its waves, each only once those before it work again. */

import type { Cluster } from '../../cluster/cluster.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { Facts } from '../facts.ts';
import { clusterHealth } from '../health.ts';
import { type Wave, waves } from '../waves.ts';
import { type ApplyAllOptions, applyAll } from './apply-wave.ts';
import type { HostTrouble } from './outcome.ts';
import type { Session } from './session.ts';
import { UNHEALTHY, waitHealthy } from './wait-healthy.ts';

/** @returns what went wrong, a trouble a host; those that had not their turn are among them */
export async function applyWaves(session: Session, options: ApplyAllOptions): Promise<HostTrouble[]> {
  const { plan, facts } = options;
  const all = waves(session.cluster, plan, facts);
  for (const [index, wave] of all.entries()) {
    const rest = all.slice(index + 1).flatMap(({ hosts }) => hosts);
    const hosts = plan.hosts.filter(({ host }) => wave.hosts.includes(host));
    const troubles = await applyAll(session, { ...options, plan: { ...plan, hosts } });
    if (rest.length === 0) return troubles;
    const why = troubles.length > 0 ? 'failed' : await missingAfter(session, options, wave);
    if (why !== undefined) {
      const message = `nothing was done here: ${wave.hosts.join(', ')} ${why}, and they may not be away at the same time`;
      const remedy = 'Fix that first; then run the same command again.';
      return [...troubles, ...rest.map((host) => ({ host, failure: 'turn', message, remedy }))];
    }
  }
  return [];
}

/** Waits for what the next wave needs. @returns what it lacks, undefined when it may begin */
async function missingAfter(
  session: Session,
  { secrets, facts, patience, signal }: ApplyAllOptions,
  { back }: Wave,
): Promise<string | undefined> {
  if (back.length === 0) return undefined;
  const hosts = session.cluster.hosts.filter(({ name }) => facts.has(name)).map(({ name }) => name);
  try {
    const missing = (found: ReadonlyMap<string, Facts>) => lacks(session.cluster, found, back);
    await waitHealthy(session, { secrets, hosts, patience, signal, missing });
    return undefined;
  } catch (error) {
    if (error instanceof MesosupError && error.failure === UNHEALTHY)
      return `did not come back to work (${error.message})`;
    throw error;
  }
}

/** Those that were away must work again, and some master lead. */
function lacks(cluster: Cluster, facts: ReadonlyMap<string, Facts>, back: Wave['back']): string[] {
  const { hosts } = clusterHealth(cluster, facts);
  const own = back.flatMap(({ host, role }) =>
    (hosts.find((one) => one.host === host)?.roles ?? [])
      .filter((found) => found.role === role && !found.healthy)
      .map(({ state }) => `${host}: ${role} ${state}`),
  );
  const led = [...facts.values()].some(({ master }) => master.elected && master.recovered);
  return led ? own : [...own, 'no Mesos master leads'];
}
