/** Finds the flags of the spec with which a master or an agent keeps the flags that it runs with. */

import type { Cluster, MesosFlags } from '../../cluster/cluster.ts';
import type { MesosLayout } from '../layout.ts';
import { agentFlags, type Flags, masterFlags } from '../mesos-flags.ts';

/** Other keys of the spec, or files of mesosup, stand for these flags. */
const ELSEWHERE = new Set(['attributes', 'hostname', 'logger', 'master', 'port', 'resources', 'zk']);

/** mesosup writes the files that these flags name. They are kept only as far as others have set them. */
const OWN_FILES = new Set(['credential', 'credentials', 'http_credentials']);

/**
 * mesosup's values of these flags stay, since they are safer for running tasks: an agent that restarts waits longer for its
 * executors, and may get more attributes.
 */
const SAFER = new Set([
  'executor_registration_timeout',
  'executor_reregistration_timeout',
  'reconfiguration_policy',
]);

export interface KeptInput {
  readonly role: 'master' | 'agent';
  /** The flags of the running process. */
  readonly flags: Flags;
  readonly layout: MesosLayout['kind'];
  /** The host's address within the cluster; undefined if it isn't known. */
  readonly address: string | undefined;
  /** Name of the cluster in the spec. */
  readonly name: string;
  readonly masters: number;
  readonly usesZooKeeper: boolean;
}

/** Returns flags that differ from mesosup's, in the form of a spec. */
export function keptFlags(input: KeptInput): MesosFlags {
  const { flags } = input;
  const ours = ownFlags(input);
  const kept: Record<string, string> = {};
  for (const [name, value] of flags) {
    if (ELSEWHERE.has(plainName(name)) || OWN_FILES.has(name) || ours.get(name) === value) continue;
    kept[name] = value;
  }
  for (const [name, value] of ours) {
    const plain = plainName(name);
    if (ELSEWHERE.has(plain) || SAFER.has(name) || flags.has(plain) || flags.has(`no-${plain}`)) continue;
    // It depends on other flags, which are kept.
    if (name === 'isolation' || name === 'jwt_secret_key') continue;
    if (value !== '') kept[name] = '';
    else kept[name.startsWith('no-') ? plain : `no-${plain}`] = name.startsWith('no-') ? 'true' : '';
  }
  return kept;
}

function plainName(name: string): string {
  return name.replace(/^no-/, '');
}

/** The flags that mesosup sets if the spec has none. */
function ownFlags({ role, layout, address, name, masters, usesZooKeeper }: KeptInput): Flags {
  const host = {
    name: '',
    address: '',
    roles: ['master' as const],
    attributes: {},
    resources: {},
    masterFlags: {},
    agentFlags: {},
    connection: { kind: 'local' as const },
  };
  const cluster: Cluster = {
    name,
    mesos: { kind: 'preinstalled' },
    docker: { kind: 'preinstalled' },
    hosts: Array.from({ length: masters }, () => host),
    masterFlags: {},
    agentFlags: {},
    schedulerFlags: {},
    ports: { master: 0, agent: 0, scheduler: 0, zookeeper: 0 },
  };
  const make = role === 'master' ? masterFlags : agentFlags;
  return make({
    cluster,
    host,
    facts: { init: 'systemd' },
    topology: { usesZooKeeper },
    layout: { kind: layout },
    // Differs from any address.
    address: address ?? '?',
  });
}
