/** Checks a cluster before a change that goes through phases on all of its hosts. */

import { MesosupError } from '../errors/mesosup-error.ts';
import { changesIn } from '../install/drift.ts';
import type { Facts } from '../install/facts.ts';
import { clusterHealth } from '../install/health.ts';
import { prepare, surveyCluster } from '../install/operations/prepare.ts';
import { renderProblems } from '../install/operations/reach.ts';
import { recheckHealth } from '../install/operations/recheck-health.ts';
import { describeUnhealthy } from '../install/operations/wait-healthy.ts';
import type { Connected } from './cluster-session.ts';

/**
 * Surveys the hosts. All must be reachable; before the first phase the cluster must be healthy, and nothing else may
 * be about to change.
 * @param why all hosts must be reachable, as a sentence
 * @throws MesosupError
 */
export async function readyCluster(
  { session, program }: Pick<Connected, 'session' | 'program'>,
  { why, resumes }: { readonly why: string; readonly resumes: boolean },
): Promise<ReadonlyMap<string, Facts>> {
  const { cluster } = session;
  const survey = await surveyCluster(session);
  const prepared = await prepare(session, program, survey, { command: 'install', start: false });
  const { facts, reach, plan, problems } = prepared;
  if (reach.leftOut.length > 0)
    throw new MesosupError(`${renderProblems(problems)}\nNothing was changed: ${why}`, {
      remedy: 'Fix the problems above, then run the same command again.',
      problems,
    });
  if (resumes) return facts;
  const changes = changesIn(plan);
  if (changes > 0)
    throw new MesosupError(`${cluster.name} has changes that are not installed yet (${changes})`, {
      remedy: 'Make them first: mesosup install. Then run the same command again.',
    });
  const isStarted = [...facts.values()].some(({ mesosup }) => mesosup.started);
  const now = await recheckHealth(session, { ...survey, facts }, prepared.secrets);
  const missing = isStarted ? describeUnhealthy(clusterHealth(cluster, now.facts), reach.usable) : [];
  if (missing.length > 0)
    throw new MesosupError(
      `${cluster.name} is not healthy:\n${missing.map((one) => `  ${one}`).join('\n')}`,
      { remedy: 'Find the cause with: mesosup doctor. Then run the same command again.' },
    );
  return facts;
}
