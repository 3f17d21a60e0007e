/** The releases of hosts: the suites of each on the machine's mirrors, and the image. */

import { ensureHostImage } from './image.ts';
import { type AptSuite, type Release, suitesOf } from './machine-apt.ts';
import type { Base, Ground, HostOptions } from './start-host.ts';

/** Releases of Debian on which mesosup is tested, with their code names. */
export const DEBIAN = { 'debian-11': 'bullseye', 'debian-12': 'bookworm', 'debian-13': 'trixie' } as const;

export type DebianName = keyof typeof DEBIAN;

/**
 * Makes the images of all releases among the hosts.
 *
 * @param machine the machine's own release, which is the default of hosts
 * @returns the base of a host
 * @throws Error naming the release that the machine's mirrors lack
 */
export async function ensureBases(
  { mirror, upstreams }: Ground,
  machine: Release,
  hosts: readonly HostOptions[],
  work: string,
  say: (step: string) => void,
): Promise<(host: HostOptions) => Base> {
  const codenameOf = ({ system }: HostOptions) =>
    system === undefined || system === 'ubuntu-22.04' ? machine.codename : DEBIAN[system];
  const urlOf = ({ uri }: AptSuite) => `${mirror}/${upstreams.get(uri)}`;
  const bases = new Map<string, Base>();
  for (const codename of new Set(hosts.map(codenameOf))) {
    const suites =
      codename === machine.codename ? machine.suites : await served(suitesOf(machine, codename), urlOf);
    const main = suites.find(({ suite }) => suite === codename);
    if (!main) throw new Error(`the mirror that this machine's apt uses has no ${codename}`);
    const image = await ensureHostImage(codename, urlOf(main), work, say);
    bases.set(codename, { codename, suites, image });
  }
  return (host) => {
    const base = bases.get(codenameOf(host));
    if (!base) throw new Error(`no image was made for ${host.system}`);
    return base;
  };
}

/** Omits suites that the mirror lacks, for example the updates of an unsupported release. */
async function served(suites: readonly AptSuite[], urlOf: (suite: AptSuite) => string): Promise<AptSuite[]> {
  const found = await Promise.all(
    suites.map(async (suite) => {
      const { ok, status } = await fetch(`${urlOf(suite)}/dists/${suite.suite}/InRelease`, {
        method: 'HEAD',
      });
      if (!ok && status !== 404) throw new Error(`the lab's mirror answers ${status} for ${suite.suite}`);
      return ok ? [suite] : [];
    }),
  );
  return found.flat();
}
