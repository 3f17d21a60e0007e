/** What a plan rests on, as a digest: a saved plan is refused when the host has changed since. */

import type { Facts } from './facts.ts';

/** Clocks, counters, free space, process ids and health say nothing about what is to be done. */
export function basisOf(facts: Facts, sha256: (text: string) => string): string {
  const services = Object.entries(facts.services).map(
    ([name, { enabled, state, file, inputs, needsReload }]) => [
      name,
      { enabled, state, file, inputs, needsReload },
    ],
  );
  const { cluster, current, payloads, started, journal } = facts.mesosup;
  return sha256(
    canonical({
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

/** JSON whose keys are in order at every depth. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
