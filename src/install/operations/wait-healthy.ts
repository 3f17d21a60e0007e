/** Waits until a cluster that was started works, with a visible reason for every wait. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Secrets } from '../../cluster/secrets.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { Facts } from '../facts.ts';
import { type ClusterHealth, clusterHealth } from '../health.ts';
import { sideBySide } from './screen.ts';
import type { Session } from './session.ts';

/** Between two looks at the hosts. */
const PAUSE_MS = 500;
/** The kind of failure when nothing has changed for too long. */
export const UNHEALTHY = 'unhealthy';
/** Seconds for which nothing may change. */
const PATIENCE = 300;

export interface WaitOptions {
  readonly secrets: Secrets;
  /** Hosts that were left out are not waited for. */
  readonly hosts: readonly string[];
  /** Seconds for which nothing may change; `PATIENCE` when undefined. */
  readonly patience: number | undefined;
  readonly signal: AbortSignal;
  /** What is still missing; everything that keeps these hosts and the whole from being healthy without it. */
  readonly missing?: (facts: ReadonlyMap<string, Facts>) => string[];
}

/** @throws MesosupError naming what is still missing when nothing has changed for so long */
export async function waitHealthy(
  session: Session,
  options: WaitOptions,
): Promise<ReadonlyMap<string, Facts>> {
  const missingIn =
    options.missing ?? ((found) => missingOf(clusterHealth(session.cluster, found), options.hosts));
  let latest: ReadonlyMap<string, Facts> = new Map();
  let failure: MesosupError | undefined;
  const patience = options.patience ?? PATIENCE;
  await sideBySide(session.screen, [session.cluster.name], 1, async (_name, line) => {
    let last = '';
    // What comes and goes is no change: a master that restarts for ever says one thing after the other.
    const seen = new Set<string>();
    let since = performance.now();
    for (;;) {
      options.signal.throwIfAborted();
      const { facts, unreachable } = await session.health(options.secrets, options.hosts);
      latest = facts;
      const missing = [...unreachable.map((problem) => problem.message), ...missingIn(facts)];
      if (missing.length === 0) return options.missing ? 'goes on' : 'healthy';
      const said = missing.join('; ');
      if (said !== last) line.say(`waiting: ${said}`);
      last = said;
      const kind = said.replaceAll(/\d+\.\d+ s/g, '');
      if (!seen.has(kind)) {
        seen.add(kind);
        since = performance.now();
      } else if (performance.now() - since > patience * 1000) {
        failure = new MesosupError(
          `${session.cluster.name} is not healthy, and nothing new was seen for ${patience} s:\n${missing.map((one) => `  ${one}`).join('\n')}`,
          {
            remedy:
              'Look at the journal of the service that is named, e.g. journalctl -u mesos-master; "mesosup status" shows the whole.',
            failure: UNHEALTHY,
          },
        );
        throw new Error(`not healthy: ${said}`);
      }
      await sleep(PAUSE_MS, undefined, { signal: options.signal });
    }
  });
  options.signal.throwIfAborted();
  if (failure) throw failure;
  return latest;
}

/** What keeps these hosts and the whole from being healthy, a line each. */
export function missingOf(health: ClusterHealth, hosts: readonly string[]): string[] {
  const own = health.hosts
    .filter(({ host }) => hosts.includes(host))
    .flatMap(({ host, roles }) =>
      roles.filter((role) => !role.healthy).map((role) => `${host}: ${role.role} ${role.state}`),
    );
  // With hosts left out not all agents can be there.
  const whole = hosts.length === health.hosts.length ? health.problems : [];
  return [...own, ...whole];
}
