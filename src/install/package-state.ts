/** What dpkg knows of a package. */

import type { Facts, PackageFacts } from './facts.ts';

/**
 * The package if it is installed. Where a library's ABI changed with the size of time, its package ends in `t64` and
 * provides the old name.
 */
export function installedPackage(facts: Facts, name: string): PackageFacts | undefined {
  return [facts.packages[name], facts.packages[`${name}t64`]].find((found) => found && isInstalled(found));
}

/** Wanted by someone, in order, and unpacked with its scripts run. */
function isInstalled({ status }: PackageFacts): boolean {
  return /^\S+ ok installed$/.test(status);
}
