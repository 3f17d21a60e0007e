/** The flags of a host's Mesos master and agent: those of a safe cluster, overridden by the spec. */

import type { Cluster, ClusterHost, MesosFlags } from '../cluster/cluster.ts';
import { hostsWith } from '../cluster/topology.ts';
import { isJson, parseJson } from '../json.ts';
import type { Facts } from './facts.ts';
import type { MesosLayout } from './layout.ts';
import { quorumOf, type Topology } from './topology.ts';
import { agentWorkDir, masterWorkDir } from './work-dirs.ts';

/** Names without dashes; an empty value is a switch, `no-x` turns one off. */
export type Flags = ReadonlyMap<string, string>;

export interface FlagInput {
  readonly cluster: Cluster;
  readonly host: ClusterHost;
  readonly facts: Pick<Facts, 'init'>;
  readonly topology: Pick<Topology, 'usesZooKeeper'>;
  readonly layout: Pick<MesosLayout, 'kind'>;
  /** The host's address within the cluster. */
  readonly address: string;
  /** Variables for executors of Mesos; none without TLS. */
  readonly executorVariables?: Readonly<Record<string, string>>;
}

/** Files that flags name. Only root can read the secret ones. */
export const MESOS_FILES = {
  /** ZooKeeper's URL, or the address of the single master. */
  master: '/etc/mesosup/master',
  masterCredentials: '/etc/mesosup/master-credentials',
  masterAcls: '/etc/mesosup/master-acls',
  agentCredential: '/etc/mesosup/agent-credential',
  agentHttpCredentials: '/etc/mesosup/agent-http-credentials',
  agentAcls: '/etc/mesosup/agent-acls',
  executorKey: '/etc/mesosup/executor-key',
} as const;

/** Executors have this variable from the agent only if the flag `executor_environment_variables` does not replace them all. */
const EXECUTOR_PATH = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/** Builds without TLS lack this flag and `jwt_secret_key`. Mesos does not start with an unknown flag. */
const EXECUTOR_AUTHENTICATION = 'authenticate_http_executors';

export function masterFlags(input: FlagInput): Flags {
  const { cluster, host, topology } = input;
  // Counts the masters of the spec, since unreachable masters count for the quorum.
  const masters = hostsWith(cluster, 'master').length;
  const withZooKeeper: MesosFlags = !topology.usesZooKeeper
    ? // Agents of such a master notice its restart only by missing pings: after 25 s instead of 75 s.
      { agent_ping_timeout: '5secs' }
    : { zk: `file://${MESOS_FILES.master}`, quorum: String(quorumOf(masters)) };
  return merge(
    {
      ...common(input, cluster.ports.master, masterWorkDir(cluster, host)),
      ...withZooKeeper,
      cluster: cluster.name,
      authenticate_agents: '',
      // This flag covers only frameworks with the old protocol; the next two cover those with HTTP.
      authenticate_frameworks: '',
      authenticate_http_frameworks: '',
      http_framework_authenticators: 'basic',
      authenticate_http_readonly: '',
      authenticate_http_readwrite: '',
      credentials: MESOS_FILES.masterCredentials,
      ...(cluster.monitoring && { acls: MESOS_FILES.masterAcls }),
    },
    cluster.masterFlags,
    host.masterFlags,
  );
}

/** Returns the agent's flags without attributes and resources, which are separate files. */
export function agentFlags(input: FlagInput): Flags {
  const { cluster, host, layout } = input;
  const flags = merge(
    {
      ...common(input, cluster.ports.agent, agentWorkDir(cluster, host)),
      master: `file://${MESOS_FILES.master}`,
      containerizers: 'mesos',
      // The Docker executor leaves isolation to Docker; this launcher works with cgroups v1 and v2.
      launcher: 'posix',
      // With this support, an agent doesn't start on a host with only cgroups v2. The unit's KillMode keeps executors
      // alive.
      'no-systemd_enable_support': '',
      executor_registration_timeout: '5mins',
      executor_reregistration_timeout: '10secs',
      reconfiguration_policy: 'additive',
      credential: MESOS_FILES.agentCredential,
      authenticate_http_readonly: '',
      authenticate_http_readwrite: '',
      http_credentials: MESOS_FILES.agentHttpCredentials,
      acls: MESOS_FILES.agentAcls,
      ...(layout.kind === 'clusterd' && { [EXECUTOR_AUTHENTICATION]: '' }),
    },
    cluster.agentFlags,
    host.agentFlags,
  );
  if (flags.get('launcher') === 'posix' && !flags.has('isolation')) {
    flags.set('isolation', 'posix/cpu,posix/mem');
  }
  if (Object.keys(input.executorVariables ?? {}).length > 0) {
    const own = parseJson(flags.get('executor_environment_variables') ?? '');
    const all = { ...EXECUTOR_PATH, ...(isJson(own) && own), ...input.executorVariables };
    flags.set('executor_environment_variables', JSON.stringify(all));
  }
  const executors = flags.get(EXECUTOR_AUTHENTICATION);
  if (executors === undefined || executors === 'false') {
    for (const name of [EXECUTOR_AUTHENTICATION, `no-${EXECUTOR_AUTHENTICATION}`, 'jwt_secret_key']) {
      flags.delete(name);
    }
  } else if (!flags.has('jwt_secret_key')) {
    flags.set('jwt_secret_key', MESOS_FILES.executorKey);
  }
  return flags;
}

function common(input: FlagInput, port: number, workDirectory: string): MesosFlags {
  const { host, facts, layout, address } = input;
  return {
    ip: address,
    port: String(port),
    hostname: host.hostname ?? address,
    work_dir: workDirectory,
    // A flag of the wrapper: log to the journal instead of syslog.
    ...(layout.kind !== 'own' && facts.init === 'systemd' && { 'no-logger': '' }),
  };
}

/**
 * Merges flags. Later layers override earlier ones; `x` replaces `no-x`, and vice versa. An empty value in a later layer
 * omits a flag that has a value in the first one.
 */
function merge(ours: MesosFlags, ...layers: readonly MesosFlags[]): Map<string, string> {
  const flags = new Map<string, string>();
  for (const layer of [ours, ...layers]) {
    for (const [name, value] of Object.entries(layer)) {
      flags.delete(name.startsWith('no-') ? name.slice('no-'.length) : `no-${name}`);
      flags.set(name, value);
    }
  }
  for (const [name, value] of Object.entries(ours)) {
    if (value !== '' && flags.get(name) === '') flags.delete(name);
  }
  return flags;
}
