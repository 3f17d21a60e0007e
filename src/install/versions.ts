/** Compares versions of packages, as far as a plan needs it. */

/**
 * Checks if the wanted version equals the installed one or is a prefix of it: 1.11.0-0.7.1.ubuntu2404 meets 1.11.0-0.7,
 * and 5:29.0.1-1~debian.12~bookworm meets 29.0.1, since people omit the epoch.
 */
export function meetsVersion(installed: string, wanted: string | undefined): boolean {
  if (wanted === undefined || installed === wanted) return true;
  const bare = wanted.includes(':') ? installed : installed.replace(/^\d+:/, '');
  return bare === wanted || (bare.startsWith(wanted) && /^[^0-9A-Za-z]/.test(bare.slice(wanted.length)));
}

/** Compares dotted numbers: negative when `a` is older. Ignores everything after the numbers. */
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

/** Parses the file name of a Debian package, `mesos_1.9.0-2_amd64.deb`. Undefined for another form. */
export function parseDebName(path: string): { readonly name: string; readonly version: string } | undefined {
  const file = path.split(/[?#]/)[0]?.split('/').at(-1) ?? '';
  const match = /^(?<name>[a-z0-9][a-z0-9.+-]*)_(?<version>[^_]+)_[a-z0-9-]+\.deb$/.exec(file);
  if (!match?.groups) return undefined;
  const { name = '', version = '' } = match.groups;
  return { name, version: version.replace(/%3a/i, ':') };
}
