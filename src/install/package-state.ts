/** What dpkg knows of a package. */

import type { HostFacts, PackageFacts } from './host-facts.ts';

/** The names under which dpkg may know the package. */
export function packageNames(name: string): string[] {
  // Where a library's ABI changed with the size of time, its package ends in `t64` and provides the old name.
  return name.startsWith('lib') ? [name, `${name}t64`] : [name];
}

/** The package if it is installed, under any of its names. */
export function installedPackage(
  { packages }: Pick<HostFacts, 'packages'>,
  name: string,
): PackageFacts | undefined {
  return packageNames(name)
    .map((one) => packages[one])
    .find((found) => found && isInstalled(found));
}

/** Wanted by someone, in order, and unpacked with its scripts run. */
function isInstalled({ status }: PackageFacts): boolean {
  return /^\S+ ok installed$/.test(status);
}
