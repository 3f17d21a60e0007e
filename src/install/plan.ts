/** A plan: the changes of each host, without their scripts. It can be shown, saved and applied later. */

import type { Item } from './item.ts';
import type { PackageFile, Pin } from './package-file.ts';
import type { Resource } from './resources/registry.ts';

export type PlanCommand = 'install' | 'start' | 'stop' | 'uninstall' | 'drain' | 'undrain' | 'upgrade';

export interface Plan {
  /** Version of this data format. */
  readonly format: 1;
  readonly command: PlanCommand;
  readonly cluster: string;
  /** Version of the program that made it. Other versions refuse the plan. */
  readonly version: string;
  readonly hosts: readonly HostPlan[];
}

export interface HostPlan {
  readonly host: string;
  /** In the order in which they are applied. Empty: the host isn't touched. */
  readonly items: readonly PlanItem[];
  /** The address by which the cluster's members reach it, and the reason. Missing for an uninstall. */
  readonly address?: { readonly address: string; readonly why: string };
  /** Digest of the facts behind the items. A saved plan is refused when the digest has changed. */
  readonly basis: string;
  /** Versions that apt has to choose where it installs these packages, also as dependencies; from `versions.lock`. */
  readonly pins?: readonly Pin[];
  /** Package files to send from this machine, since no repository has them. */
  readonly files?: readonly PackageFile[];
  /** True: apt uses these files, and no repository. */
  readonly onlyFiles?: true;
}

export type PlanItem = Item<Resource>;

/** A problem that prevents changes of a host. All problems are shown at once, each with its remedy. */
export interface Problem {
  readonly host: string;
  /** A key for `--json` and tests: `system`, `glibc`, `cgroups`, `disk`, `memory`, `clock`, `port`, `dpkg` … */
  readonly check: string;
  readonly message: string;
  readonly remedy: string;
  /** A warning doesn't stop the run. */
  readonly severity: 'error' | 'warning';
}
