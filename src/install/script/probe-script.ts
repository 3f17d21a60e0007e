/** Builds the script that probes a host: see `templates/host/probe`. `parseFacts` parses its answer. */

import type { Secrets } from '../../cluster/secrets.ts';
import { quote } from '../../hosts/quote.ts';
import { MESOS_BINARIES, PACKAGED_LAYOUTS } from '../layout.ts';
import { apiUser, type Credentials, operator } from '../operator.ts';
import type { ProbeTargets } from '../probe-targets.ts';
import { assemble, type HostScripts, type ScriptName } from './host-scripts.ts';
import { ANSWER_SECONDS, httpRequest } from './http-request.ts';
import { unitName } from './unit-name.ts';

export interface ProbeOptions {
  /** For requests to masters, agents and schedulers. Without them only public endpoints can be read. */
  readonly secrets?: Pick<Secrets, 'operator' | 'api' | 'rotated'>;
}

/** Bytes. Larger files get no text. */
const MAX_TEXT = 16 * 1024;
/** Bytes. Larger files get no digest. */
const MAX_HASHED = 64 * 1024 * 1024;

/** Properties to read of each systemd unit. */
export const UNIT_PROPERTIES =
  'LoadState,ActiveState,SubState,UnitFileState,MainPID,FragmentPath,NeedDaemonReload,NRestarts';

const PARTS: readonly ScriptName[] = [
  'environment.sh',
  'ask.sh',
  'dpkg-lock.sh',
  'mesos-processes.sh',
  'parts.sh',
  'probe/asked.sh',
  'probe/health.sh',
  'probe/software.sh',
  'probe/system.sh',
  'probe/probe.sh',
];

/** @returns a script for `Host.run`, which may contain secrets */
export function probeScript(
  scripts: HostScripts,
  targets: ProbeTargets,
  { secrets }: ProbeOptions = {},
): string {
  const { services, disks, ports, files, trees, packages, users, health } = targets;
  const people = operator(secrets);
  const layouts = PACKAGED_LAYOUTS.flatMap(({ master, agent }) => [master, agent]);
  const latest = health.agent !== undefined && health.agentWorkDir;
  const values = {
    NEWLINE: '\n',
    ANSWER_SECONDS,
    MAX_HASHED,
    MAX_TEXT,
    UNIT_PROPERTIES,
    ASKED: JSON.stringify({ services, disks, ports }),
    FILES: files.map(quote).join(' '),
    TREES: trees.map(quote).join(' '),
    PACKAGES: packages,
    USERS: users,
    DISKS: disks,
    UNITS: services.map((name) => unitName(name)),
    JOBS: services,
    HOST_ADDRESS: health.address ?? '',
    ADDRESS_FILES: [...new Set(layouts.map(({ flags }) => `${flags}/ip`))],
    ADDRESS_VARIABLES: [...new Set(layouts.map(({ defaults }) => defaults))],
    MESOS_PROGRAMS: MESOS_BINARIES,
    AGENT_LATEST: latest ? `${latest}/meta/slaves/latest` : '',
    ZOOKEEPER_PORT: health.zookeeper ?? '',
    MASTER_PORT: health.master ?? '',
    AGENT_PORT: health.agent ?? '',
    SCHEDULER_PORT: health.scheduler ?? '',
    LB_HOST: health.lb?.host ?? '',
    LB_PORT: health.lb?.port ?? '',
    MASTER_METRICS: request(health.master, '/metrics/snapshot', people),
    MASTER_VERSION: request(health.master, '/version'),
    AGENT_METRICS: request(health.agent, '/metrics/snapshot', people),
    AGENT_VERSION: request(health.agent, '/version'),
    LB_METRICS: request(health.lb?.port, '/metrics'),
    SCHEDULER_INFO: request(health.scheduler, '/v2/info?embed=connected', apiUser(secrets)),
  };
  return assemble(scripts, PARTS, values, [`probe ${functions(targets).join(' ')}`]);
}

/** Returns a request to a service; empty, and without credentials, if the host does not have the service. */
function request(port: number | undefined, path: string, credentials?: Credentials): string {
  return port === undefined ? '' : httpRequest('GET', path, credentials);
}

/** Lists the functions that print members of the answer; slow ones come first. */
function functions({ health, services, mesosTls }: ProbeTargets): string[] {
  return [
    ...(health.zookeeper === undefined ? [] : ['zookeeper']),
    ...(health.master === undefined ? [] : ['master_metrics', 'master_version']),
    ...(health.agent === undefined ? [] : ['agent_metrics', 'agent_version']),
    ...(health.scheduler === undefined ? [] : ['scheduler']),
    ...(health.lb === undefined ? [] : ['lb']),
    ...(services.length === 0 ? [] : ['services']),
    ...(mesosTls ? ['mesos_tls'] : []),
    'packages',
    'taken',
    'images',
    'file_list',
    'file_sums',
    'file_texts',
    'docker_engine',
    'system',
  ];
}

/** True of a file of the list whose text is in the answer. */
export function hasText(file: { type: string; mode: number; size: number }): boolean {
  return file.type === 'f' && (file.mode & 0o004) !== 0 && file.size <= MAX_TEXT;
}
