/** Versions of packages, as far as a plan has to know them. */

/**
 * True when the installed version is the wanted one or begins with it: 1.11.0-0.7 is met by 1.11.0-0.7.1.ubuntu2404,
 * and 29.0.1 by 5:29.0.1-1~debian.12~bookworm, whose epoch people leave out.
 */
export function meetsVersion(installed: string, wanted: string | undefined): boolean {
  if (wanted === undefined || installed === wanted) return true;
  const bare = wanted.includes(':') ? installed : installed.replace(/^\d+:/, '');
  return bare === wanted || (bare.startsWith(wanted) && /^[^0-9A-Za-z]/.test(bare.slice(wanted.length)));
}

/** Compares dotted numbers: negative when `a` is older. What is no number ends the comparison. */
export function compareNumbers(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbers(version: string): number[] {
  return (/^\d+(\.\d+)*/.exec(version.replace(/^\d+:/, ''))?.[0] ?? '').split('.').map(Number);
}

/** Name and version in the name of a Debian package's file: `mesos_1.9.0-2_amd64.deb`; undefined for another form. */
export function parseDebName(path: string): { readonly name: string; readonly version: string } | undefined {
  const file = path.split(/[?#]/)[0]?.split('/').at(-1) ?? '';
  const match = /^(?<name>[a-z0-9][a-z0-9.+-]*)_(?<version>[^_]+)_[a-z0-9-]+\.deb$/.exec(file);
  if (!match?.groups) return undefined;
  const { name = '', version = '' } = match.groups;
  return { name, version: version.replace(/%3a/i, ':') };
}
