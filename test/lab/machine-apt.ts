/**
 * Where this machine gets its own distribution's packages from, as its apt says: nothing of it is written down here.
 */

import { readFile } from 'node:fs/promises';
import { execa } from 'execa';

/** One suite of the distribution. */
export interface AptSuite {
  /** Base URL without a trailing slash. */
  uri: string;
  /** `bookworm`, `bookworm-updates`, `bookworm-security`. */
  suite: string;
  components: string[];
}

/** A release of the distribution, with the sources of its packages. */
export interface Release {
  codename: string;
  suites: AptSuite[];
}

/** @throws Error with the remedy if this machine isn't Debian or Ubuntu, or apt has no lists */
export async function machineApt(): Promise<Release> {
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1];
  if (codename === undefined)
    throw new Error('/etc/os-release names no VERSION_CODENAME: the lab needs Debian');
  const format = '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)';
  const { stdout } = await execa('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const suites = parseTargets(codename, stdout);
  if (!suites.some((s) => s.suite === codename)) {
    throw new Error(`apt knows no packages of ${codename}: run apt-get update, then this again`);
  }
  return { codename, suites };
}

/** @param targets lines `uri|suite|component|origin`; others' repositories and other releases are passed over */
export function parseTargets(codename: string, targets: string): AptSuite[] {
  const suites = new Map<string, AptSuite>();
  for (const line of targets.split('\n')) {
    const [uri, suite, component, origin] = line.split('|');
    if (!uri || !suite || !component || !/^(Debian|Ubuntu)$/.test(origin ?? '')) continue;
    if (suite !== codename && !suite.startsWith(`${codename}-`)) continue;
    const key = `${uri} ${suite}`;
    const known = suites.get(key) ?? { uri: uri.replace(/\/+$/, ''), suite, components: [] };
    if (!known.components.includes(component)) known.components.push(component);
    suites.set(key, known);
  }
  return [...suites.values()];
}

/**
 * A short name for each upstream, for the mirror's paths: the last word of its URL's path, numbered where two share it.
 */
export function upstreamNames(suites: readonly AptSuite[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const uri of new Set(suites.map((s) => s.uri))) {
    const word = new URL(uri).pathname.split('/').findLast(Boolean) ?? 'packages';
    const taken = new Set(names.values());
    let name = word;
    for (let n = 2; taken.has(name); n += 1) name = `${word}-${n}`;
    names.set(uri, name);
  }
  return names;
}

/** The suites of another release on the same mirrors: `trixie-security` where this one has `bookworm-security`. */
export function suitesOf({ codename, suites }: Release, other: string): AptSuite[] {
  return suites.map((s) => ({ ...s, suite: s.suite.replace(codename, other) }));
}

/**
 * Renders a host's sources.list.
 *
 * @param names the path of each upstream on the mirror
 */
export function sourcesList(
  suites: readonly AptSuite[],
  names: ReadonlyMap<string, string>,
  mirrorUrl: string,
): string {
  return suites
    .map((s) => `deb ${mirrorUrl}/${names.get(s.uri)} ${s.suite} ${s.components.join(' ')}\n`)
    .join('');
}
