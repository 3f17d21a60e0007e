/** A second look at a cluster that seems unhealthy: one slow answer, or a service that just starts, is no fault. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Secrets } from '../../cluster/secrets.ts';
import type { Facts } from '../facts.ts';
import { clusterHealth } from '../health.ts';
import type { Session, Survey } from './session.ts';
import { missingOf } from './wait-healthy.ts';

/** Milliseconds: for how long it looks again, and between two looks. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 1000;

/**
 * Asks for the health of a started cluster again while it may still turn out to be healthy: not where a host is
 * unreachable, a service is known to be down or a run is under way.
 *
 * @returns the survey, with the health of the last look
 */
export async function lookAgain(
  session: Session,
  survey: Survey,
  secrets: Secrets | undefined,
): Promise<Survey> {
  const { cluster, screen } = session;
  const names = [...survey.facts.keys()];
  const began = performance.now();
  let { facts } = survey;
  const settled = [...facts.values()].every(({ mesosup }) => mesosup.started && !mesosup.run?.alive);
  if (secrets === undefined || survey.unreachable.length > 0 || !settled) return survey;
  for (let looks = 0; ; looks += 1) {
    const health = clusterHealth(cluster, facts);
    if (!health.mayRecover || performance.now() - began > PATIENCE_MS) return { ...survey, facts };
    if (looks === 0) screen.note(`Asking again: ${missingOf(health, names).join('; ')}`);
    await sleep(PAUSE_MS);
    const { facts: found } = await session.health(secrets, names);
    facts = new Map([...facts].map(([name, own]) => [name, withHealth(own, found.get(name))]));
  }
}

/** The facts of a whole look, with the health of a later one. */
function withHealth(facts: Facts, later: Facts | undefined): Facts {
  if (later === undefined) return facts;
  const { zookeeper, master, agent, scheduler, docker } = later;
  return { ...facts, zookeeper, master, agent, scheduler, docker };
}
