/** The flags that say which cluster is meant. */

import { homedir } from 'node:os';
import path from 'node:path';
import { Flags } from '@oclif/core';
import { ClusterState, stateHome } from '../../cluster/edge/cluster-state.ts';
import { type LoadedCluster, loadCluster } from '../../cluster/edge/load.ts';
import { type HostOptions, overridesOf } from '../../cluster/host-list.ts';

const names = (summary: string) =>
  Flags.string({
    summary,
    helpValue: 'a,b,c',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    helpGroup: 'CLUSTER',
  });

const word = (summary: string, helpValue: string) =>
  Flags.string({ summary, helpValue, helpGroup: 'CLUSTER' });

/** Hosts and how to reach them; `init` writes them down. */
export const hostFlags = {
  name: word('The name of the cluster; mesosup without it.', 'NAME'),
  hosts: names(
    'Hosts, as name or user@name:port. Of three or more the first three are masters; all are agents.',
  ),
  local: Flags.boolean({ summary: 'This machine alone, without SSH.', helpGroup: 'CLUSTER' }),
  masters: names('Which of the hosts are masters, with ZooKeeper and scheduler: one, three or five.'),
  agents: names('Which of the hosts run containers.'),
  zookeeper: names('Which of the hosts run ZooKeeper.'),
  user: word('Who logs in by SSH.', 'USER'),
  port: Flags.integer({
    summary: 'The port of the SSH servers.',
    min: 1,
    max: 65_535,
    helpGroup: 'CLUSTER',
    helpValue: 'PORT',
  }),
  key: word('A private key for SSH.', 'FILE'),
  bastion: word('Hosts to jump through, as ProxyJump has them.', 'user@host:port'),
};

export const specFlags = {
  file: Flags.string({
    char: 'f',
    summary: 'The cluster; cluster.yaml here if it is there, or else what was last installed from here.',
    helpValue: 'FILE',
    helpGroup: 'CLUSTER',
  }),
  ...hostFlags,
  state: word("Where this cluster's secrets are kept on this machine.", 'DIRECTORY'),
};

interface GivenHosts {
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

/** Of the flags those that say something about hosts. */
export function hostOptions(flags: GivenHosts): HostOptions {
  const { name, hosts, local, masters, agents, zookeeper, user, port, key, bastion } = flags;
  const all = { name, hosts, local, masters, agents, zookeeper, user, port, key, bastion };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** @throws UsageError, MesosupError */
export async function clusterOf(
  flags: GivenHosts & { readonly file?: string | undefined; readonly state?: string | undefined },
): Promise<LoadedCluster> {
  const home = homedir();
  return loadCluster(
    {
      overrides: overridesOf(hostOptions(flags)),
      ...(flags.file !== undefined && { file: flags.file }),
      ...(flags.state !== undefined && { state: flags.state }),
    },
    { directory: process.cwd(), home, stateHome: stateHome(process.env, home) },
  );
}

/** The state of the cluster of that name, or in the directory that --state says. */
export function stateOf(name: string, directory: string | undefined): ClusterState {
  return new ClusterState(path.resolve(directory ?? path.join(stateHome(process.env, homedir()), name)));
}
