/** What a probe looks at, for whatever system, package and init system the host turns out to have. */

import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import {
  CLUSTERD_PACKAGE,
  LEGACY_JOBS,
  LEGACY_PACKAGE,
  MESOS_BINARIES,
  mesosPackage,
  PACKAGED_LAYOUTS,
  WRAPPER,
} from './layout.ts';
import { AGENT_WORK_DIR, MASTER_WORK_DIR } from './mesos-flags.ts';
import type { ProbeTargets } from './probe-targets.ts';
import { CLUSTER, PAYLOADS, STARTED, STATE } from './script/places.ts';
import { isIpv4, ZOOKEEPER_PEER_PORTS } from './topology.ts';
import { CURRENT, ETC } from './wanted/base.ts';
import {
  CNI_DIRECTORIES,
  DOCKER_CE_PACKAGES,
  DOCKER_CONFIG,
  DOCKER_DATA,
  DOCKER_REPOSITORY,
  DOCKER_SERVICE,
  PODMAN_DOCKER,
} from './wanted/docker.ts';
import { JANITOR_TIMER } from './wanted/executor.ts';
import { CLUSTERD_LIBRARIES, MESOS_REPOSITORY } from './wanted/mesos-package.ts';
import { keyPaths, listPath } from './wanted/repository.ts';
import { SCHEDULER_SERVICE, SCHEDULER_STATE, SCHEDULER_USER } from './wanted/scheduler.ts';
import { ZOOKEEPER_DATA, ZOOKEEPER_PACKAGE, ZOOKEEPER_SERVICE } from './wanted/zookeeper.ts';

/** The masters' log of the cluster: who has one takes part in its quorum. */
export const REPLICATED_LOG = `${MASTER_WORK_DIR}/replicated_log`;

const MESOS_SERVICES = [...new Set(PACKAGED_LAYOUTS.flatMap((one) => [one.master, one.agent]))];
const SERVICES = [
  DOCKER_SERVICE,
  ZOOKEEPER_SERVICE,
  ...new Set(MESOS_SERVICES.map(({ service }) => service)),
  SCHEDULER_SERVICE,
  JANITOR_TIMER,
];
const UNITS = [
  ...[ZOOKEEPER_SERVICE, SCHEDULER_SERVICE, 'mesosup-janitor', 'mesos-master', 'mesos-agent'].map(
    (name) => `/etc/systemd/system/${name}.service`,
  ),
  `/etc/systemd/system/${JANITOR_TIMER}`,
  ...[ZOOKEEPER_SERVICE, SCHEDULER_SERVICE, 'mesos-master', 'mesos-agent'].map(
    (name) => `/etc/init/${name}.conf`,
  ),
];

/**
 * Roles the host hasn't are looked at too: one that was taken from it leaves things behind. Health is asked for the
 * roles it has.
 */
export function probeTargets(cluster: Cluster, host: ClusterHost): ProbeTargets {
  const { ports } = cluster;
  const has = (role: ClusterHost['roles'][number]) => host.roles.includes(role);
  const address = host.privateAddress ?? (isIpv4(host.address) ? host.address : undefined);
  const package_ = mesosPackage(cluster.mesos);
  const packages = [
    'ca-certificates',
    'libatomic1',
    'libstdc++6',
    'libsasl2-modules',
    'iptables',
    'docker.io',
    'docker-cli',
    PODMAN_DOCKER,
    ...DOCKER_CE_PACKAGES,
    ZOOKEEPER_PACKAGE,
    'zookeeperd',
    ...CLUSTERD_LIBRARIES.flatMap((name) => [name, `${name}t64`]),
    CLUSTERD_PACKAGE,
    LEGACY_PACKAGE,
    ...(package_ === undefined ? [] : [package_]),
  ];
  return {
    files: [
      '/etc/apt/keyrings',
      ...[DOCKER_REPOSITORY, MESOS_REPOSITORY].flatMap((name) => [listPath(name), ...keyPaths(name)]),
      PAYLOADS,
      CURRENT,
      STATE,
      CLUSTER,
      STARTED,
      SCHEDULER_STATE,
      ZOOKEEPER_DATA,
      `${ZOOKEEPER_DATA}/myid`,
      '/etc/docker',
      DOCKER_CONFIG,
      DOCKER_DATA,
      ...CNI_DIRECTORIES,
      '/var/lib/mesos',
      MASTER_WORK_DIR,
      REPLICATED_LOG,
      AGENT_WORK_DIR,
      '/etc/default/mesos',
      '/etc/mesos',
      '/etc/mesos/zk',
      ...new Set(MESOS_SERVICES.map(({ defaults }) => defaults)),
      WRAPPER,
      ...LEGACY_JOBS,
      ...MESOS_BINARIES,
      ...UNITS,
    ],
    trees: [
      ETC,
      '/var/lib/mesos/executors',
      ...new Set(MESOS_SERVICES.map(({ flags }) => flags)),
      ...new Set(MESOS_SERVICES.map(({ service }) => `/etc/systemd/system/${service}.service.d`)),
    ],
    packages: [...new Set(packages)],
    users: [
      SCHEDULER_USER,
      ...(host.connection.kind === 'ssh' && host.connection.user !== undefined ? [host.connection.user] : []),
    ],
    services: SERVICES,
    ports: [
      ...(has('zookeeper') ? [ports.zookeeper, ...ZOOKEEPER_PEER_PORTS] : []),
      ...(has('master') ? [ports.master] : []),
      ...(has('agent') ? [ports.agent] : []),
      ...(has('scheduler') ? [ports.scheduler] : []),
    ],
    disks: [
      '/',
      '/usr',
      '/etc',
      '/opt',
      '/var',
      '/var/lib/mesos',
      '/var/lib/docker',
      '/var/lib/zookeeper',
      '/var/cache/apt',
    ],
    health: {
      ...(address !== undefined && { address }),
      ...(has('zookeeper') && { zookeeper: ports.zookeeper }),
      ...(has('master') && { master: ports.master }),
      // Whatever its roles are to be: an agent that is one no more has tasks that end with it.
      agent: ports.agent,
      agentWorkDir: AGENT_WORK_DIR,
      ...(has('scheduler') && { scheduler: ports.scheduler }),
    },
  };
}
