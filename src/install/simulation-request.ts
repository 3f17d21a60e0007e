/** Makes the request for a simulation with apt from a plan. */

import type { PackageFile, Pin } from './package-file.ts';
import type { HostPlan } from './plan.ts';
import type { FileResource } from './resources/file.ts';
import { type MadePackage, madePackage, type PackageResource } from './resources/package.ts';

export interface SimulationRequest {
  /** Packages that come from a repository. */
  readonly packages: readonly Pick<PackageResource, 'name' | 'version'>[];
  /** Packages that the host makes itself. */
  readonly made?: readonly MadePackage[];
  /** Lists of repositories that the plan adds or changes. */
  readonly sources: readonly Pick<FileResource, 'path' | 'content'>[];
  readonly pins?: readonly Pin[];
  readonly files?: readonly PackageFile[];
  readonly onlyFiles?: true;
  /** True: also look for versions that are newer than the host's package lists. */
  readonly fresh?: true;
}

/**
 * Undefined if the plan installs nothing from a repository. Package files of others are omitted: apt can simulate them only
 * when they are on the host.
 */
export function simulationRequest({
  items,
  pins,
  files,
  onlyFiles,
}: HostPlan): SimulationRequest | undefined {
  const resources = items.flatMap(({ resource }) => resource ?? []);
  const packages = resources.flatMap((one) =>
    one.kind === 'package' && one.file === undefined
      ? [{ name: one.name, ...(one.version !== undefined && { version: one.version }) }]
      : [],
  );
  if (packages.length === 0) return undefined;
  const made = resources.flatMap((one) => (one.kind === 'package' ? (madePackage(one) ?? []) : []));
  const sources = resources.flatMap((one) =>
    one.kind === 'file' && one.aptSource ? [{ path: one.path, content: one.content }] : [],
  );
  return {
    packages,
    ...(made.length > 0 && { made }),
    sources,
    ...(pins && { pins }),
    ...(files && { files }),
    ...(onlyFiles && { onlyFiles }),
  };
}
