/** What has to be done to each host, and nothing of how. A plan can be shown, saved and applied later. */

import type { Item } from './item.ts';
import type { Resource } from './resources/registry.ts';

export type PlanCommand = 'install' | 'start' | 'stop' | 'uninstall';

export interface Plan {
  /** Of this shape. */
  readonly format: 1;
  readonly command: PlanCommand;
  readonly cluster: string;
  /** Of the program that made it: another refuses it. */
  readonly version: string;
  readonly hosts: readonly HostPlan[];
}

export interface HostPlan {
  readonly host: string;
  /** In the order they are applied. None: the host isn't touched. */
  readonly items: readonly PlanItem[];
  /** How the cluster's members reach it, and why so. Missing where nothing is installed. */
  readonly address?: { readonly address: string; readonly why: string };
  /** Digest of the facts the items rest on; a saved plan is refused when it has changed. */
  readonly basis: string;
}

export type PlanItem = Item<Resource>;

/** Something that keeps a host from being installed; all are shown at once, each with its remedy. */
export interface Problem {
  readonly host: string;
  /** A key for `--json` and tests: `system`, `glibc`, `cgroups`, `disk`, `memory`, `clock`, `port`, `dpkg` … */
  readonly check: string;
  readonly message: string;
  readonly remedy: string;
  /** A warning doesn't stop the run. */
  readonly severity: 'error' | 'warning';
}
