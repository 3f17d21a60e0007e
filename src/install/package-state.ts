/** Interprets dpkg's state of a package. */

import type { HostFacts, PackageFacts } from './host-facts.ts';

/** Returns the names under which dpkg may know the package. */
export function packageNames(name: string): string[] {
  // Where a library's ABI changed with the size of time, its package ends in `t64` and provides the old name.
  return name.startsWith('lib') ? [name, `${name}t64`] : [name];
}

/** Returns the package if it is installed under any of its names. */
export function installedPackage(
  { packages }: Pick<HostFacts, 'packages'>,
  name: string,
): PackageFacts | undefined {
  return packageNames(name)
    .map((one) => packages[one])
    .find((found) => found && isInstalled(found));
}

/** Checks that the package is unpacked and configured, without errors. */
function isInstalled({ status }: PackageFacts): boolean {
  return /^\S+ ok installed$/.test(status);
}
