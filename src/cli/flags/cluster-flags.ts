/** The flags that select the cluster. */

import { homedir } from 'node:os';
import path from 'node:path';
import { Flags } from '@oclif/core';
import { ClusterState, stateHome } from '../../cluster/edge/cluster-state.ts';
import { type LoadedCluster, type LoadOptions, loadCluster } from '../../cluster/edge/load.ts';
import { type HostOptions, overridesOf } from '../../cluster/host-list.ts';
import { keyFile } from './key-file.ts';

const listFlag = (summary: string) =>
  Flags.string({
    summary,
    helpValue: 'a,b,c',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    helpGroup: 'CLUSTER',
  });

const textFlag = (summary: string, helpValue: string) =>
  Flags.string({ summary, helpValue, helpGroup: 'CLUSTER' });

/** Hosts and how to reach them; `init` writes them into `cluster.yaml`. */
export const hostFlags = {
  name: textFlag('Name of the cluster. Default: mesosup.', 'NAME'),
  hosts: listFlag(
    'Hosts, as name or user@name:port. With three or more, the first three are masters, otherwise the first one; all are agents.',
  ),
  local: Flags.boolean({ summary: 'Use this machine alone, without SSH.', helpGroup: 'CLUSTER' }),
  masters: listFlag(
    'Hosts that run a master, ZooKeeper and a scheduler: one, three or five. Default: see --hosts.',
  ),
  agents: listFlag('Hosts that run containers. Default: all.'),
  zookeeper: listFlag('Hosts that run ZooKeeper. Default: the masters, if there are several.'),
  user: textFlag("SSH user. Default: from OpenSSH's configuration.", 'USER'),
  port: Flags.integer({
    summary: "Port of the SSH servers. Default: from OpenSSH's configuration, or 22.",
    min: 1,
    max: 65_535,
    helpGroup: 'CLUSTER',
    helpValue: 'PORT',
  }),
  key: textFlag("Private key for SSH. Default: OpenSSH's default keys and the agent.", 'FILE'),
  bastion: textFlag(
    "Jump hosts, in the syntax of OpenSSH's ProxyJump. Default: from OpenSSH's configuration.",
    'user@host:port',
  ),
};

export const specFlags = {
  file: Flags.string({
    char: 'f',
    summary:
      'Cluster file. Default: ./cluster.yaml, or the cluster with this name that was installed from this machine.',
    helpValue: 'FILE',
    helpGroup: 'CLUSTER',
  }),
  ...hostFlags,
  state: textFlag(
    "Directory for the cluster's secrets on this machine. Default: ~/.local/state/mesosup/NAME.",
    'DIRECTORY',
  ),
};

interface HostFlags {
  readonly name?: string | undefined;
  readonly hosts?: string[] | undefined;
  readonly local?: boolean | undefined;
  readonly masters?: string[] | undefined;
  readonly agents?: string[] | undefined;
  readonly zookeeper?: string[] | undefined;
  readonly user?: string | undefined;
  readonly port?: number | undefined;
  readonly key?: string | undefined;
  readonly bastion?: string | undefined;
}

/** Picks the flags about hosts. Blanks and commas separate names alike. */
export function hostOptions(flags: HostFlags): HostOptions {
  const { name, local, user, port, key, bastion } = flags;
  const names = (list: readonly string[] | undefined) => list?.flatMap(splitNames);
  const lists = {
    hosts: names(flags.hosts),
    masters: names(flags.masters),
    agents: names(flags.agents),
    zookeeper: names(flags.zookeeper),
  };
  const all = { name, local, user, port, key, bastion, ...lists };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Splits names at blanks and commas. */
export function splitNames(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

/** @throws UsageError, MesosupError */
export async function clusterOf(
  flags: HostFlags & { readonly file?: string | undefined; readonly state?: string | undefined },
  edit?: LoadOptions['edit'],
): Promise<LoadedCluster> {
  const home = homedir();
  const key = flags.key === undefined ? undefined : await keyFile(flags.key, process.cwd());
  return loadCluster(
    {
      overrides: overridesOf(hostOptions({ ...flags, key })),
      ...(flags.file !== undefined && { file: flags.file }),
      ...(flags.state !== undefined && { state: flags.state }),
      ...(edit && { edit }),
    },
    { directory: process.cwd(), home, stateHome: stateHome(process.env, home) },
  );
}

/** @param directory the value of `--state` */
export function stateOf(name: string, directory: string | undefined): ClusterState {
  return new ClusterState(path.resolve(directory ?? path.join(stateHome(process.env, homedir()), name)));
}
