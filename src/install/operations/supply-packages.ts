/** Supplies hosts with locked packages that no repository has any more. */

import type { AptFacts } from '../apt-facts.ts';
import type { Facts } from '../facts.ts';
import { lockSystem, neededFiles, neededPins } from '../locked-versions.ts';
import type { PackageFile, Pin } from '../package-file.ts';
import type { HostPlan, Plan } from '../plan.ts';
import { findFilesScript, parseFoundFiles, sendFileScript } from '../script/package-files-script.ts';
import type { Session } from './session.ts';

type Supply = ReadonlyMap<string, readonly PackageFile[]>;

/** The dependencies of an older version may need older versions, too, which the next simulation shows. */
const ROUNDS = 3;

/**
 * Looks for the files that a simulation missed, in the cache of this machine and in apt's cache of other hosts, and
 * simulates again with them.
 * @param plans of the hosts with answers
 * @param simulate simulates the plans of these hosts with more files
 * @returns the answers with these files, and the files by host
 */
export async function supplyPackages(
  session: Session,
  plans: readonly HostPlan[],
  facts: ReadonlyMap<string, Facts>,
  answers: ReadonlyMap<string, AptFacts>,
  simulate: (files: Supply) => Promise<ReadonlyMap<string, AptFacts>>,
): Promise<{ readonly answers: ReadonlyMap<string, AptFacts>; readonly files: Supply }> {
  const files = new Map<string, readonly PackageFile[]>();
  let now = answers;
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = new Map<string, readonly PackageFile[]>();
    for (const plan of plans) {
      const apt = now.get(plan.host);
      const own = facts.get(plan.host);
      const needed = apt && own ? neededPins(plan, apt) : [];
      const more = own ? await findFiles(session, plan.host, own, needed, facts) : [];
      if (more.length > 0) found.set(plan.host, [...(files.get(plan.host) ?? []), ...more]);
    }
    if (found.size === 0) break;
    for (const [host, all] of found) files.set(host, all);
    now = new Map([...now, ...(await simulate(found))]);
  }
  return { answers: now, files };
}

/** Keeps only files of versions that the plan installs. */
export function withNeededFiles(plan: Plan, facts: ReadonlyMap<string, Facts>): Plan {
  return {
    ...plan,
    hosts: plan.hosts.map(({ files, ...host }) => {
      const own = facts.get(host.host);
      const needed = files && own ? neededFiles(files, host, own) : [];
      return { ...host, ...(needed.length > 0 && { files: needed }) };
    }),
  };
}

/** @param host that needs the files */
async function findFiles(
  session: Session,
  host: string,
  own: Facts,
  needed: readonly Pin[],
  facts: ReadonlyMap<string, Facts>,
): Promise<PackageFile[]> {
  const { packages } = session;
  const cached = await Promise.all(needed.map(({ sha256 }) => packages.find(sha256)));
  const found = cached.flatMap((one) => one ?? []);
  for (const [name, other] of facts) {
    if (name === host || lockSystem(other) !== lockSystem(own)) continue;
    const taken = new Set(other.mesosup.taken?.map(({ sha256 }) => sha256));
    const missing = needed.filter(
      ({ sha256 }) => taken.has(sha256) && !found.some((one) => one.sha256 === sha256),
    );
    if (missing.length === 0) continue;
    const donor = session.host(name);
    const { stdout } = await donor.run(findFilesScript(session.scripts, missing));
    for (const one of parseFoundFiles(stdout, missing)) {
      session.screen.note(`${host}: ${one.name} ${one.version} comes from ${name}: no repository has it`);
      const { path, ...file } = one;
      await packages.fetch(donor, sendFileScript(session.scripts, path), file);
      found.push(file);
    }
  }
  return found;
}
