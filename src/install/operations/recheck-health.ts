/** Checks an unhealthy cluster again, since one slow answer, or a service that is just starting, is not a fault. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Secrets } from '../../cluster/secrets.ts';
import type { Facts } from '../facts.ts';
import { clusterHealth } from '../health.ts';
import type { Session, Survey } from './session.ts';
import { describeUnhealthy } from './wait-healthy.ts';

/** Milliseconds: the time in which checks are repeated, and the pause between two checks. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 1000;

/**
 * Checks the health of a started cluster again while it may still become healthy: not where a host is unreachable, a
 * service is down or a run is in progress.
 *
 * @param cluster the hosts whose health counts; defaults to all
 * @returns the survey, with the health found by the last check
 */
export async function recheckHealth(
  session: Session,
  survey: Survey,
  secrets: Secrets | undefined,
  cluster = session.cluster,
): Promise<Survey> {
  const { screen } = session;
  const names = cluster.hosts.map(({ name }) => name).filter((name) => survey.facts.has(name));
  const began = performance.now();
  let { facts } = survey;
  const settled = names.every((name) => {
    const own = facts.get(name)?.mesosup;
    return own?.started && !own.run?.alive;
  });
  if (secrets === undefined || names.length < cluster.hosts.length || !settled) return survey;
  for (let checks = 0; ; checks += 1) {
    const health = clusterHealth(cluster, facts);
    if (!health.mayRecover || performance.now() - began > PATIENCE_MS) return { ...survey, facts };
    if (checks === 0) screen.note(`Checking again: ${describeUnhealthy(health, names).join('; ')}`);
    await sleep(PAUSE_MS);
    const { facts: found } = await session.health(secrets, names);
    facts = new Map(
      [...facts].map(([name, own]) => {
        const before = survey.facts.get(name)?.services ?? {};
        return [name, withRestarts(withHealth(own, found.get(name)), before)];
      }),
    );
  }
}

/** A service that was restarted meanwhile and does not run yet has failed, whatever it does between two attempts. */
export function withRestarts(facts: Facts, before: Facts['services']): Facts {
  const services = Object.entries(facts.services).map(([name, own]) => {
    const restarts = own.restarts - (before[name]?.restarts ?? own.restarts);
    const hasFailed = restarts > 0 && own.state === 'starting';
    return [name, hasFailed ? { ...own, state: 'failed' as const } : own] as const;
  });
  return { ...facts, services: Object.fromEntries(services) };
}

/** Merges the facts of a full probe with the health found by a later check. */
export function withHealth(facts: Facts, later: Facts | undefined): Facts {
  if (later === undefined) return facts;
  const { zookeeper, master, agent, scheduler, lb, docker } = later;
  const services = { ...facts.services, ...later.services };
  return { ...facts, services, zookeeper, master, agent, scheduler, lb, docker };
}
