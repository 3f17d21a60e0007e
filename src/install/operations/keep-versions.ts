/** Writes `versions.lock` after a run. */

import { EMPTY_LOCK, storedLock, type VersionsLock } from '../../cluster/versions-lock.ts';
import { canonicalJson } from '../../json.ts';
import type { Facts } from '../facts.ts';
import { lockWith } from '../locked-versions.ts';
import type { Plan } from '../plan.ts';
import type { Session } from './session.ts';

/**
 * Asks the hosts on which the plan has installed something what apt took, also after a failure: some of them are
 * complete. The packages of a host that does not answer are added by the next run.
 * @param plan that was applied
 * @param facts before the run
 * @param isComplete the run had no failure, so the hosts have the plan's payload
 */
export async function keepVersions(
  session: Session,
  plan: Plan,
  facts: ReadonlyMap<string, Facts>,
  isComplete: boolean,
): Promise<void> {
  const { state } = session;
  const resources = ({ items }: Plan['hosts'][number]) => items.flatMap(({ resource }) => resource ?? []);
  const installing = plan.hosts.filter((host) => resources(host).some(({ kind }) => kind === 'package'));
  const sent = isComplete ? plan.hosts.flatMap(resources).find((one) => one.kind === 'payload') : undefined;
  const after = await session.installedPackages(installing.map(({ host }) => host));
  const known = await state.versionsLock();
  const lock = {
    ...lockWith(known ?? EMPTY_LOCK, new Map([...facts, ...after.facts])),
    ...(sent && { payload: { version: sent.version, sha256: sent.sha256 } }),
  };
  const isNew = known === undefined ? lock.systems.size > 0 || sent !== undefined : !isSame(known, lock);
  if (isNew) await state.keepVersionsLock(lock);
}

function isSame(a: VersionsLock, b: VersionsLock): boolean {
  return canonicalJson(storedLock(a)) === canonicalJson(storedLock(b));
}
