/** Checks the software that the host has already: another cluster, dpkg, Mesos and Docker. */

import type { Cluster } from '../../cluster/cluster.ts';
import { isMesos } from '../../cluster/topology.ts';
import { isJson, parseJson } from '../../json.ts';
import type { Facts } from '../facts.ts';
import type { OtherDocker } from '../host-facts.ts';
import { MESOS_BINARIES, mesosLayout, mesosPackage } from '../layout.ts';
import { installedPackage } from '../package-state.ts';
import type { Targets } from '../probe-targets.ts';
import { compareNumbers, meetsVersion, parseDebName } from '../versions.ts';
import { DOCKER_CONFIG, DOCKER_SERVICE } from '../wanted/docker.ts';
import { packageResource } from '../wanted/mesos-package.ts';
import { error, type HostCheck, warning } from './check.ts';

/** Installs Podman as the command `docker`. */
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
      `the host belongs to the cluster "${other}"`,
      `Uninstall that cluster from the host first, or name this cluster "${other}".`,
    ),
  ];
};

export const dpkgCheck: HostCheck = ({ host, own }) => {
  const { heldBy, broken } = own.dpkg;
  return [
    ...(heldBy === ''
      ? []
      : [warning(host.name, 'dpkg', `dpkg is in use by ${heldBy}`, 'Nothing to do: mesosup waits for it.')]),
    ...(broken.length === 0
      ? []
      : [
          warning(
            host.name,
            'dpkg',
            `dpkg was interrupted: ${broken.join(', ')}`,
            'Nothing to do: mesosup completes it before it installs packages.',
          ),
        ]),
  ];
};

/** The first release with the agent's flag `reconfiguration_policy`. */
const OLDEST_MESOS = '1.5';

/** Returns the package version that the spec sets, or else the installed one. */
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
      const message = `the file name of ${path} does not contain the package's name and version`;
      return [error(host.name, 'package', message, 'Rename the file to NAME_VERSION_ARCHITECTURE.deb.')];
    }
  }
  if (mesos.kind === 'preinstalled') {
    const packaged = mesosLayout(cluster, own).kind !== 'own';
    if (packaged || MESOS_BINARIES.some((path) => own.files[path])) return [];
    return [
      error(
        host.name,
        'mesos',
        'Mesos is not installed, but the cluster file says "source: preinstalled"',
        'Install Mesos on the host, or set another source in the cluster file.',
      ),
    ];
  }
  const wanted = packageResource(mesos);
  const name = mesosPackage(mesos);
  const found = name === undefined ? undefined : installedPackage(own, name);
  const version = mesosVersion(cluster, own);
  if (version !== undefined && compareNumbers(version, OLDEST_MESOS) < 0) {
    const message = `Mesos ${version} is too old: its agents lose their tasks when attributes are added`;
    return [error(host.name, 'mesos', message, `Use Mesos ${OLDEST_MESOS} or later.`)];
  }
  if (
    name !== undefined &&
    found?.status.startsWith('hold ') &&
    !meetsVersion(found.version, wanted?.version)
  ) {
    const message = `the package ${name} is held at ${found.version}, but the cluster file sets ${wanted?.version}`;
    return [error(host.name, 'package', message, `Run: apt-mark unhold ${name}`)];
  }
  return [];
};

/** Reasons why the executor can't use a form of Docker; undefined where it can. */
const UNFIT: Readonly<Record<OtherDocker['form'], string | undefined>> = {
  snap: "Docker from a snap, which can't access task directories outside of home directories",
  static: undefined,
  rootless: 'rootless Docker, which works for one user only',
  desktop: 'Docker Desktop, which runs containers in a virtual machine',
};

/** Reports Docker in forms that apt does not know. Rootless Docker can run beside a system-wide Docker. */
export const otherDockerCheck: HostCheck = ({ cluster, host, own }) => {
  if (!host.roles.includes('agent')) return [];
  const podman = installedPackage(own, PODMAN_DOCKER);
  const preinstalled = cluster.docker.kind === 'preinstalled';
  const remove = 'Remove it from the host';
  const found = [
    ...own.otherDockers.map(({ form, path }) => ({
      what: UNFIT[form] ?? 'Docker from a static archive, which belongs to no package',
      where: path,
      fits: UNFIT[form] === undefined,
      severe: form !== 'rootless',
      remedy: form === 'static' ? `${remove}, or set "source: preinstalled" for Docker` : remove,
    })),
    ...(podman === undefined
      ? []
      : [
          {
            what: 'Podman installed as Docker',
            where: `package ${PODMAN_DOCKER} ${podman.version}`,
            fits: false,
            severe: true,
            remedy: `Run: apt-get remove ${PODMAN_DOCKER}`,
          },
        ]),
  ];
  return found.flatMap(({ what, where, fits, severe, remedy }) => {
    if (preinstalled && fits) return [];
    const problem = severe && !preinstalled ? error : warning;
    const need = preinstalled ? `${remedy}, and install Docker system-wide` : remedy;
    return [
      problem(
        host.name,
        'docker',
        `the host has ${what} (${where})`,
        severe || preinstalled ? need : NOTHING,
      ),
    ];
  });
};

const NOTHING = 'Nothing to do: tasks use the system-wide Docker that mesosup installs.';

export const dockerCheck: HostCheck = ({ cluster, host, own }) => {
  if (!host.roles.includes('agent')) return [];
  if (cluster.docker.kind === 'preinstalled') {
    if (own.docker.version !== '' || own.services[DOCKER_SERVICE]) return [];
    return [
      error(
        host.name,
        'docker',
        'Docker is not installed, but the cluster file says "source: preinstalled"',
        'Install Docker on the host, or set another source in the cluster file.',
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
        `${other} ${found.version} is installed and conflicts with Docker from the source ${cluster.docker.kind}`,
        `Set "source: preinstalled" for Docker in the cluster file, or remove ${other} from the host.`,
      ),
    ];
  }
  const config = own.files[DOCKER_CONFIG];
  if (config === undefined || isJson(parseJson(config.text ?? ''))) return [];
  return [
    warning(
      host.name,
      'docker',
      `${DOCKER_CONFIG} is not valid JSON, so mesosup leaves it unchanged`,
      'Correct it, and make sure that it has "live-restore": true. Without it, containers end when Docker restarts.',
    ),
  ];
};
