/** Computes a digest of the facts behind a plan. A saved plan is refused when the digest has changed. */

import { canonicalJson } from '../json.ts';
import type { Facts } from './facts.ts';

/** Ignores clocks, counters, free space, process ids and health, which do not affect the plan. */
export function basisOf(facts: Facts, sha256: (text: string) => string): string {
  const services = Object.entries(facts.services).map(
    ([name, { enabled, state, file, inputs, needsReload }]) => [
      name,
      { enabled, state, file, inputs, needsReload },
    ],
  );
  const { cluster, current, payloads, started, journal } = facts.mesosup;
  return sha256(
    canonicalJson({
      system: facts.system,
      arch: facts.arch,
      glibc: facts.glibc,
      init: facts.init,
      cgroups: facts.cgroups,
      addresses: facts.addresses,
      broken: facts.dpkg.broken,
      packages: facts.packages,
      files: facts.files,
      users: facts.users,
      services: Object.fromEntries(services),
      agent: facts.agent.id,
      mesosup: { cluster, current, payloads: payloads.toSorted(), started, journal },
    }),
  );
}
