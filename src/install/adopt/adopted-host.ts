/** What was read of a host on which others installed Mesos. Texts may contain secrets. */

import type { SpecInput } from '../../cluster/spec-schema.ts';

export interface HostInput {
  /** The host in the spec: its name, and the connection to it. */
  readonly block: SpecHostBlock;
  readonly found: AdoptedHost;
}

export type SpecHostBlock = Exclude<SpecInput['hosts'][number], string>;

export interface AdoptedHost {
  readonly addresses: readonly string[];
  /** Versions by name of the installed packages of Mesos and Docker. */
  readonly packages: Readonly<Record<string, string>>;
  /** The cluster of mesosup to which the host belongs; empty without one. */
  readonly cluster: string;
  readonly hasDocker: boolean;
  /** Configuration files of the servers of ZooKeeper that run on the host. */
  readonly zookeepers: readonly string[];
  /** Masters and agents that run. */
  readonly processes: readonly AdoptedProcess[];
}

export interface AdoptedProcess {
  readonly role: 'master' | 'agent';
  /** The systemd unit, for example `mesos-agent.service`; empty for a process of no unit. */
  readonly unit: string;
  /** Arguments, without the program. */
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Texts by path of the files that flags name. */
  readonly files: Readonly<Record<string, string>>;
  /** Texts by path of the files from which the flags come: units, files of variables, a file for each flag. */
  readonly sources: Readonly<Record<string, string>>;
}
