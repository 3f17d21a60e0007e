/** What is on the host already, and in whose hands. */

import type { Cluster } from '../../cluster/cluster.ts';
import type { Facts } from '../facts.ts';
import type { OtherDocker } from '../host-facts.ts';
import { MESOS_BINARIES, mesosLayout, mesosPackage } from '../layout.ts';
import { installedPackage } from '../package-state.ts';
import type { Targets } from '../probe-targets.ts';
import { compareNumbers, meetsVersion, parseDebName } from '../versions.ts';
import { DOCKER_CONFIG, DOCKER_SERVICE } from '../wanted/docker.ts';
import { packageResource } from '../wanted/mesos-package.ts';
import { error, type HostCheck, isMesos, warning } from './check.ts';

/** Answers to the name of docker with Podman. */
const PODMAN_DOCKER = 'podman-docker';

export const SOFTWARE_TARGETS: Targets = {
  files: [...MESOS_BINARIES, DOCKER_CONFIG],
  packages: [PODMAN_DOCKER, 'docker.io', 'docker-ce'],
  services: [DOCKER_SERVICE],
};

export const clusterCheck: HostCheck = ({ cluster, host, own }) => {
  const other = own.mesosup.cluster;
  if (other === '' || other === cluster.name) return [];
  return [
    error(
      host.name,
      'cluster',
      `it belongs to the cluster "${other}"`,
      `uninstall that one there first, or name this cluster "${other}"`,
    ),
  ];
};

export const dpkgCheck: HostCheck = ({ host, own }) => {
  const { heldBy, broken } = own.dpkg;
  return [
    ...(heldBy === ''
      ? []
      : [warning(host.name, 'dpkg', `dpkg is in use by ${heldBy}`, 'nothing to do: it will be waited for')]),
    ...(broken.length === 0
      ? []
      : [
          warning(
            host.name,
            'dpkg',
            `dpkg was interrupted: ${broken.join(', ')}`,
            'nothing to do, where packages are needed: it will be finished first',
          ),
        ]),
  ];
};

/** The oldest with `reconfiguration_policy`. */
const OLDEST_MESOS = '1.5';

/** The version of the package that the spec asks for, or else of the one that is installed. */
export function mesosVersion({ mesos }: Cluster, own: Facts): string | undefined {
  const name = mesosPackage(mesos);
  const found = name === undefined ? undefined : installedPackage(own, name);
  return packageResource(mesos)?.version ?? found?.version;
}

export const mesosCheck: HostCheck = ({ cluster, host, own }) => {
  if (!isMesos(host)) return [];
  const { mesos } = cluster;
  if (mesos.kind === 'package') {
    const path = 'url' in mesos.from ? mesos.from.url : mesos.from.file;
    if (parseDebName(path) === undefined) {
      const message = `the name of ${path} doesn't tell which package it is`;
      return [error(host.name, 'package', message, 'call it NAME_VERSION_ARCHITECTURE.deb, as Debian does')];
    }
  }
  if (mesos.kind === 'preinstalled') {
    const packaged = mesosLayout(cluster, own).kind !== 'own';
    if (packaged || MESOS_BINARIES.some((path) => own.files[path])) return [];
    return [
      error(
        host.name,
        'mesos',
        'no Mesos is installed on it, and the spec says there is (source: preinstalled)',
        'install it there, or choose another source',
      ),
    ];
  }
  const wanted = packageResource(mesos);
  const name = mesosPackage(mesos);
  const found = name === undefined ? undefined : installedPackage(own, name);
  const version = mesosVersion(cluster, own);
  if (version !== undefined && compareNumbers(version, OLDEST_MESOS) < 0) {
    const message = `Mesos ${version} is too old: its agents can't gain attributes without losing their tasks`;
    return [error(host.name, 'mesos', message, `use Mesos ${OLDEST_MESOS} or later`)];
  }
  if (
    name !== undefined &&
    found?.status.startsWith('hold ') &&
    !meetsVersion(found.version, wanted?.version)
  ) {
    const message = `the package ${name} is held at ${found.version}, and ${wanted?.version} is wanted`;
    return [error(host.name, 'package', message, `run: apt-mark unhold ${name}`)];
  }
  return [];
};

/** Why the executor can't work with a Docker of that form; undefined where it can. */
const UNFIT: Readonly<Record<OtherDocker['form'], string | undefined>> = {
  snap: "Docker from a snap, which can't see directories of tasks outside of home directories",
  static: undefined,
  rootless: 'rootless Docker, which runs for one user only',
  desktop: 'Docker Desktop, which runs containers in a virtual machine',
};

/** Docker in forms that apt knows nothing of. Rootless Docker gets along with a Docker of the system. */
export const otherDockerCheck: HostCheck = ({ cluster, host, own }) => {
  if (!host.roles.includes('agent')) return [];
  const podman = installedPackage(own, PODMAN_DOCKER);
  const preinstalled = cluster.docker.kind === 'preinstalled';
  const remove = 'remove it there';
  const found = [
    ...own.otherDockers.map(({ form, path }) => ({
      what: UNFIT[form] ?? 'Docker from a static archive, which no package owns',
      where: path,
      fits: UNFIT[form] === undefined,
      severe: form !== 'rootless',
      remedy: form === 'static' ? `say "source: preinstalled" for Docker, or ${remove}` : remove,
    })),
    ...(podman === undefined
      ? []
      : [
          {
            what: 'Podman under the name of Docker',
            where: `package ${PODMAN_DOCKER} ${podman.version}`,
            fits: false,
            severe: true,
            remedy: `run: apt-get remove ${PODMAN_DOCKER}`,
          },
        ]),
  ];
  return found.flatMap(({ what, where, fits, severe, remedy }) => {
    if (preinstalled && fits) return [];
    const problem = severe && !preinstalled ? error : warning;
    const need = preinstalled ? `${remedy}, and install Docker for the whole system` : remedy;
    return [
      problem(host.name, 'docker', `it has ${what} (${where})`, severe || preinstalled ? need : NOTHING),
    ];
  });
};

const NOTHING = 'nothing to do: tasks use the Docker that mesosup installs for the whole system';

export const dockerCheck: HostCheck = ({ cluster, host, own }) => {
  if (!host.roles.includes('agent')) return [];
  if (cluster.docker.kind === 'preinstalled') {
    if (own.docker.version !== '' || own.services[DOCKER_SERVICE]) return [];
    return [
      error(
        host.name,
        'docker',
        'no Docker is installed on it, and the spec says there is (source: preinstalled)',
        'install it there, or choose another source',
      ),
    ];
  }
  const other = cluster.docker.kind === 'docker-ce' ? 'docker.io' : 'docker-ce';
  const found = installedPackage(own, other);
  if (found !== undefined) {
    return [
      error(
        host.name,
        'docker',
        `it has ${other} ${found.version}, which stands in the way of the one from ${cluster.docker.kind}`,
        `say "source: preinstalled" for Docker, or remove ${other} there`,
      ),
    ];
  }
  const config = own.files[DOCKER_CONFIG];
  if (config === undefined || isObject(config.text)) return [];
  return [
    warning(
      host.name,
      'docker',
      `${DOCKER_CONFIG} is there and can't be read as JSON, so it stays as it is`,
      'see that it has "live-restore": true, or containers end when Docker is restarted',
    ),
  ];
};

function isObject(text: string | undefined): boolean {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
