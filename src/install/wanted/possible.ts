/**
 * Lists all resources that a host of a cluster may ever have: with every role, on every system, with every source of
 * Mesos and Docker. The targets of the probe follow from them, since nothing is known about a host before its probe,
 * and since an earlier role, source or system may have left files behind. Only names and paths matter: texts are empty.
 */

import { NOT_ISSUED } from '../../cluster/certificates.ts';
import {
  type AptRepository,
  type Cluster,
  type ClusterHost,
  type DockerSource,
  type MesosSource,
  ROLES,
} from '../../cluster/cluster.ts';
import { SECRET_NAMES, type SecretName } from '../../cluster/secrets.ts';
import type { Facts } from '../facts.ts';
import type { Resource } from '../resources/registry.ts';
import { resourcesWith } from './wanted.ts';

/** One system for each variant of paths and packages. */
const SYSTEMS: readonly Pick<Facts, 'init' | 'system'>[] = [
  { init: 'upstart', system: systemOf('ubuntu', '14.04') },
  { init: 'systemd', system: systemOf('ubuntu', '16.04') },
  { init: 'systemd', system: systemOf('debian', '13') },
];

const REPOSITORY: AptRepository = {
  debian: 'https://repository.invalid main',
  ubuntu: 'https://repository.invalid main',
  key: { file: '' },
};

/** Pairs of sources of Mesos and Docker, which are independent of each other. */
const SOURCES: readonly { readonly mesos: MesosSource; readonly docker: DockerSource }[] = [
  { mesos: { kind: 'clusterd', repository: REPOSITORY }, docker: { kind: 'distribution' } },
  { mesos: { kind: 'mesosphere', repository: REPOSITORY }, docker: { kind: 'distribution' } },
  { mesos: { kind: 'preinstalled' }, docker: { kind: 'docker-ce', repository: REPOSITORY } },
];

const MONITORING = { listen: 'loopback', port: 0 } as const;

const NO_SECRETS = {
  ...(Object.fromEntries(SECRET_NAMES.map((name) => [name, ''])) as Record<SecretName, string>),
  tls: NOT_ISSUED,
};

/** May contain duplicates. */
export function possibleResources(cluster: Cluster, host: ClusterHost): Resource[] {
  const withAll = { ...host, roles: ROLES };
  return SYSTEMS.flatMap((system) => {
    const facts = new Map([[host.name, bareHost(system, host)]]);
    return [...SOURCES, cluster].flatMap(({ mesos, docker }) =>
      resourcesWith(
        {
          cluster: { ...cluster, hosts: [withAll], mesos, docker, monitoring: MONITORING },
          host: withAll,
          facts,
          payload: { version: '', sha256: '', bytes: 0 },
          running: true,
          secrets: NO_SECRETS,
          sha256: () => '',
        },
        () => '',
      ),
    );
  });
}

function systemOf(id: string, version: string): Facts['system'] {
  return { id, version, codename: '', name: '' };
}

/** Facts of a host without any installation, on which the login user exists. */
function bareHost(system: Pick<Facts, 'init' | 'system'>, { connection }: ClusterHost): Facts {
  const user = connection.kind === 'ssh' ? connection.user : undefined;
  const silent = { answers: false, version: '', problem: '' };
  return {
    ...system,
    clock: { now: 0, offsetMs: 0 },
    arch: '',
    kernel: '',
    glibc: '',
    cgroups: 'none',
    hostname: '',
    addresses: [],
    sshAddress: '',
    cpus: 0,
    memoryBytes: 0,
    diskFreeBytes: {},
    mounts: {},
    dpkg: { heldBy: '', broken: [] },
    packages: {},
    files: {},
    users: user === undefined ? {} : { [user]: { uid: 0, groups: [] } },
    services: {},
    listeners: [],
    zookeeper: { answers: false, mode: '', version: '' },
    master: { ...silent, elected: false, recovered: false, agentsConnected: 0, frameworksActive: 0 },
    agent: { ...silent, registered: false, id: '', tasks: null, executors: null },
    scheduler: { ...silent, leads: false, leader: '', subscribed: false },
    lb: { answers: false, balances: false, services: 0, problems: 0, answeredAt: 0 },
    docker: { version: '', running: false },
    otherDockers: [],
    mesosup: { cluster: '', current: '', payloads: [], released: [], started: false, run: null, journal: [] },
  };
}
