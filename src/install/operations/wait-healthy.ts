/** Waits until a started cluster is healthy, and shows the reason for every wait. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Secrets } from '../../cluster/secrets.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { Facts } from '../facts.ts';
import { type ClusterHealth, clusterHealth } from '../health.ts';
import { runConcurrently } from './screen.ts';
import type { Session } from './session.ts';

/** The shortest pause between two probes; slow hosts get a pause as long as the probe took. */
const PAUSE_MS = 500;
/** The kind of failure when nothing has changed for too long. */
export const UNHEALTHY = 'unhealthy';
const REMEDY =
  'Read the log of the service named above, for example with: journalctl -u mesos-master. For an overview, run: mesosup status';
/** Seconds without a change after which the wait fails. */
const PATIENCE = 300;

export interface WaitOptions {
  readonly secrets: Secrets;
  /** Names of the hosts to wait for. */
  readonly hosts: readonly string[];
  /** Seconds without a change after which the wait fails; defaults to `PATIENCE`. */
  readonly patience: number | undefined;
  readonly signal: AbortSignal;
  /** Returns the reasons to wait; defaults to everything unhealthy on these hosts and in the cluster. */
  readonly missing?: (facts: ReadonlyMap<string, Facts>) => string[];
}

/** @throws MesosupError with the reasons, when nothing has changed for the patience's time */
export async function waitHealthy(
  session: Session,
  options: WaitOptions,
): Promise<ReadonlyMap<string, Facts>> {
  const missingIn =
    options.missing ?? ((found) => describeUnhealthy(clusterHealth(session.cluster, found), options.hosts));
  let latest: ReadonlyMap<string, Facts> = new Map();
  let failure: MesosupError | undefined;
  const patience = options.patience ?? PATIENCE;
  await runConcurrently(session.screen, [session.cluster.name], 1, async (_name, line) => {
    let last = '';
    // A state seen before is no progress: a master that restarts forever alternates between states.
    const seen = new Set<string>();
    let since = performance.now();
    for (;;) {
      options.signal.throwIfAborted();
      const began = performance.now();
      const { facts, unreachable } = await session.health(options.secrets, options.hosts);
      latest = facts;
      const took = performance.now() - began;
      const missing = [...unreachable.map((problem) => problem.message), ...missingIn(facts)];
      if (missing.length === 0) return options.missing ? 'continues' : 'healthy';
      const reasons = missing.join('; ');
      if (reasons !== last) line.show(`waiting: ${reasons}`);
      last = reasons;
      const kind = reasons.replaceAll(/\d+\.\d+ s/g, '');
      if (!seen.has(kind)) {
        seen.add(kind);
        since = performance.now();
      } else if (performance.now() - since > patience * 1000) {
        failure = new MesosupError(
          `${session.cluster.name} is not healthy, and nothing has changed for ${patience} s:\n${missing.map((one) => `  ${one}`).join('\n')}`,
          {
            remedy: REMEDY,
            failure: UNHEALTHY,
            problems: missing.flatMap((one) => problemOf(one, options.hosts)),
          },
        );
        throw failure;
      }
      await sleep(Math.max(PAUSE_MS, took), undefined, { signal: options.signal });
    }
  });
  options.signal.throwIfAborted();
  if (failure) throw failure;
  return latest;
}

/** The problem of the host that a reason names; none for a reason that is about the whole cluster. */
function problemOf(reason: string, hosts: readonly string[]) {
  const host = hosts.find((one) => reason.startsWith(`${one}: `));
  return host === undefined ? [] : [{ host, message: reason.slice(host.length + 2), remedy: REMEDY }];
}

/** Lists everything unhealthy on these hosts and in the cluster, one line each. */
export function describeUnhealthy(health: ClusterHealth, hosts: readonly string[]): string[] {
  const own = health.hosts
    .filter(({ host }) => hosts.includes(host))
    .flatMap(({ host, roles }) =>
      roles.filter((role) => !role.healthy).map((role) => `${host}: ${role.role} ${role.state}`),
    );
  // When hosts are left out, some agents are missing.
  const clusterProblems = hosts.length === health.hosts.length ? health.problems : [];
  return [...own, ...clusterProblems];
}
