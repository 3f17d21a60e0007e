/** What has to be done to each host, and nothing of how. A plan can be shown, saved and applied later. */

import type { Resource } from './resources.ts';

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

export type PlanAction =
  | 'create'
  | 'change'
  | 'remove'
  | 'install'
  | 'upgrade'
  | 'enable'
  | 'disable'
  | 'start'
  | 'stop'
  | 'restart'
  | 'reload' // the init system reads its files anew; the service goes on
  | 'replace-agent' // drain, stop, forget the agent's id: its tasks end. A `start` follows once its files are there
  | 'repair' // finish what an interrupted dpkg left
  | 'restore'; // uninstall: put back what was there

export interface PlanItem {
  /** `resourceId` of what it is about; with the action it is unique on the host. */
  readonly id: string;
  readonly action: PlanAction;
  /** One line for people: `/etc/mesos-agent/attributes/rack: create`. */
  readonly title: string;
  /** Lines of a diff, `+`, `-` or a blank first; secrets are shown as dots. */
  readonly diff: readonly string[];
  /** Why, when it isn't plain from the diff: `because /etc/mesos-agent/ip changed`. */
  readonly reason?: string;
  /**
   * Of a `remove`: a directory goes with all in it, a package with its configuration and what it calls its data,
   * Docker with all its containers.
   */
  readonly whole?: true;
  /** Of a package that apt removes or downgrades by itself while it installs the packages of the items beside it. */
  readonly byApt?: true;
  /** How many tasks end by it. Above all for `replace-agent`; null when the agent can't be asked. */
  readonly endsTasks?: number | null;
  /**
   * What it makes true, whole: `start` and `restart` of a service also enable it where it says so, `stop` disables or
   * masks it, `disable` with `masked` stops it; `enable` and `reload` leave the process alone. Missing where nothing
   * is wanted any more (`remove`, `restore`, `repair`).
   */
  readonly resource?: Resource;
}

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
