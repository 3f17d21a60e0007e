/** Checks the host's operating system, architecture, glibc, init system and cgroups. */

import type { AptRepository, MesosSource } from '../../cluster/cluster.ts';
import { CLUSTERD, MESOSPHERE } from '../../cluster/repositories.ts';
import { isMesos } from '../../cluster/topology.ts';
import { partsWithRuntime } from '../runtime.ts';
import { compareNumbers } from '../versions.ts';
import { error, type HostCheck, warning } from './check.ts';

/** Required by the payload's Node. */
const OLDEST_GLIBC = '2.28';

interface Packaged {
  readonly repository: AptRepository;
  /** By system id, the system versions that have packages. All packages are for amd64 only. */
  readonly systems: Readonly<Record<string, readonly string[]>>;
}

/** Contents of the projects' own repositories. For another repository, apt itself finds out. */
const PACKAGED: Partial<Record<MesosSource['kind'], Packaged>> = {
  clusterd: { repository: CLUSTERD, systems: { debian: ['11', '12'], ubuntu: ['22.04', '24.04'] } },
  mesosphere: { repository: MESOSPHERE, systems: { ubuntu: ['14.04', '16.04', '18.04'] } },
};

export const systemCheck: HostCheck = ({ cluster, host, own }) => {
  const { id, version, name } = own.system;
  const systemName = name || `${id} ${version}`.trim();
  if (id !== 'debian' && id !== 'ubuntu') {
    const message = `the host runs ${systemName || 'an unknown system'}, which mesosup does not support`;
    return [error(host.name, 'system', message, 'Use Debian or Ubuntu.')];
  }
  const packaged = supportedSystems(cluster.mesos, id);
  if (packaged === undefined || !isMesos(host)) return [];
  const supported = Object.entries(packaged).map(
    ([system, versions]) => `${system} ${versions.join(' and ')}`,
  );
  const others =
    'Set a repository that has one (repository:), use your own package (source: package), or install Mesos yourself (source: preinstalled).';
  if (!(packaged[id] ?? []).some((one) => version === one || version.startsWith(`${one}.`))) {
    return [
      error(
        host.name,
        'system',
        `${cluster.mesos.kind} has no Mesos package for ${systemName}, only for ${supported.join(', ')}`,
        others,
      ),
    ];
  }
  if (own.arch === 'amd64') return [];
  const message = `${cluster.mesos.kind} has Mesos packages for amd64 only, but this host is ${own.arch}`;
  return [error(host.name, 'arch', message, others)];
};

/** Undefined where the packages don't come from the project's own repository. */
function supportedSystems(source: MesosSource, id: 'debian' | 'ubuntu'): Packaged['systems'] | undefined {
  const packaged = PACKAGED[source.kind];
  if (packaged === undefined || !('repository' in source)) return undefined;
  return source.repository[id] === packaged.repository[id] ? packaged.systems : undefined;
}

export const runtimeCheck: HostCheck = ({ cluster, host, own, payload }) => {
  const parts = partsWithRuntime(cluster, host);
  if (parts.length === 0) return [];
  const named = parts.join(' and ');
  if (payload.arch !== undefined && payload.arch !== own.arch) {
    return [
      error(
        host.name,
        'arch',
        `the host is ${own.arch}, but this mesosup installs a runtime for ${payload.arch}`,
        `Run mesosup from a machine that is ${own.arch}.`,
      ),
    ];
  }
  if (own.glibc === '') {
    const message = `its glibc version is unknown; ${named} needs ${OLDEST_GLIBC} or later`;
    return [warning(host.name, 'glibc', message, 'Check it on the host with: getconf GNU_LIBC_VERSION')];
  }
  if (compareNumbers(own.glibc, OLDEST_GLIBC) >= 0) return [];
  return [
    error(
      host.name,
      'glibc',
      `the host has glibc ${own.glibc}; ${named} runs on Node, which needs ${OLDEST_GLIBC} or later`,
      'Remove it from the host, or use Debian 10, Ubuntu 20.04 or later.',
    ),
  ];
};

export const initCheck: HostCheck = ({ host, own }) =>
  own.init === 'other'
    ? [
        error(
          host.name,
          'init',
          'the host runs neither systemd nor Upstart, so services would not start',
          'Boot the host with systemd.',
        ),
      ]
    : [];

export const cgroupCheck: HostCheck = ({ cluster, host, own }) => {
  if (!host.roles.includes('agent')) return [];
  if (own.cgroups === 'none') {
    const message = 'cgroups are not mounted, but Docker needs them';
    return [error(host.name, 'cgroups', message, 'Mount cgroups, or boot the host with systemd.')];
  }
  const asked = 'launcher' in cluster.agentFlags || 'launcher' in host.agentFlags;
  const picky = cluster.mesos.kind === 'clusterd' || cluster.mesos.kind === 'package';
  if (own.cgroups !== 'hybrid' || asked || !picky) return [];
  return [
    error(
      host.name,
      'cgroups',
      'the host has hybrid cgroups (v2 beside v1), with which a stock Mesos agent does not start',
      'Boot the host with systemd.unified_cgroup_hierarchy=1 on the kernel command line, or set "launcher: posix" in agentFlags if your build of Mesos supports it.',
    ),
  ];
};
